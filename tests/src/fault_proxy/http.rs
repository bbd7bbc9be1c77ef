//! As much of HTTP/1.1 as the proxy needs: whole messages, bodies by length, in chunks, or until the connection ends.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Headers that belong to one connection, or that the proxy writes itself.
const NOT_FORWARDED: [&str; 7] =
    ["connection", "keep-alive", "transfer-encoding", "content-length", "trailer", "te", "expect"];

/// A request or an answer, its body decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The request line or the status line.
    pub(super) start: String,
    /// In their order, names as they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    pub(super) fn answer(status: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { start: format!("HTTP/1.1 {status}"), headers, body: body.into() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path of a request, without its query.
    pub(super) fn path(&self) -> &str {
        let target = self.start.split(' ').nth(1).unwrap_or("/");
        target.split('?').next().unwrap_or("/")
    }

    /// True when the sender ends the connection after this message.
    pub(super) fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// The message with its length in a header; `close` says that nothing follows on the connection.
    pub(super) fn to_bytes(&self, close: bool) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            if !NOT_FORWARDED.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let connection = if close { "close" } else { "keep-alive" };
        head.push_str(&format!("Content-Length: {}\r\nConnection: {connection}\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }
}

/// A connection with what was read from it and not used yet.
pub(super) struct Connection<S> {
    stream: S,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next request; `None` when the other side ended the connection between two requests.
    pub(super) async fn request(&mut self) -> io::Result<Option<Message>> {
        let Some(mut message) = self.head().await? else { return Ok(None) };
        if message.header("expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        // A request without a length has no body.
        message.body = self.body(&message, false).await?;
        Ok(Some(message))
    }

    /// The next answer.
    pub(super) async fn answer(&mut self) -> io::Result<Message> {
        let mut message = self.head().await?.ok_or_else(|| broken("no answer"))?;
        message.body = self.body(&message, true).await?;
        Ok(message)
    }

    async fn head(&mut self) -> io::Result<Option<Message>> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            if !self.read_more().await? {
                return if self.unread.is_empty() { Ok(None) } else { Err(broken("a head that is cut off")) };
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let text = String::from_utf8_lossy(&head[..end]);
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        Ok(Some(Message { start, headers, body: Vec::new() }))
    }

    async fn body(&mut self, message: &Message, until_end: bool) -> io::Result<Vec<u8>> {
        let encoding = message.header("transfer-encoding").unwrap_or_default();
        if encoding.to_ascii_lowercase().contains("chunked") {
            return self.chunks().await;
        }
        if let Some(length) = message.header("content-length") {
            let length = length.parse().map_err(|_| broken("a content-length that is not a number"))?;
            return self.exactly(length).await;
        }
        if until_end {
            while self.read_more().await? {}
            return Ok(std::mem::take(&mut self.unread));
        }
        Ok(Vec::new())
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| broken("a chunk without a size"))?;
            if size == 0 {
                while !self.line().await?.is_empty() {} // trailers
                return Ok(body);
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            self.require_more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < length {
            self.require_more().await?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    async fn require_more(&mut self) -> io::Result<()> {
        if self.read_more().await? {
            Ok(())
        } else {
            Err(broken("a body that is cut off"))
        }
    }

    async fn read_more(&mut self) -> io::Result<bool> {
        let mut part = [0; 16 * 1024];
        let read = self.stream.read(&mut part).await?;
        self.unread.extend_from_slice(&part[..read]);
        Ok(read > 0)
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connection(bytes: &[u8]) -> Connection<tokio::io::DuplexStream> {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        client.write_all(bytes).await.unwrap();
        Connection::new(server)
    }

    #[tokio::test]
    async fn requests_are_read_one_after_the_other_and_written_with_their_length() {
        let text = b"POST /a?b=c HTTP/1.1\r\nHost: h\r\ncontent-length: 3\r\n\r\nabc\
            POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
            2;x=y\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
        let mut connection = connection(text).await;
        let first = connection.request().await.unwrap().unwrap();
        assert_eq!((first.path(), first.body.as_slice(), first.is_last()), ("/a", &b"abc"[..], false));
        let second = connection.request().await.unwrap().unwrap();
        assert_eq!((second.body.as_slice(), second.is_last()), (&b"def"[..], true));
        assert_eq!(
            String::from_utf8(second.to_bytes(true)).unwrap(),
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\ndef"
        );
        assert_eq!(connection.request().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_answer_without_a_length_lasts_until_the_connection_ends() {
        let mut connection = connection(b"HTTP/1.1 200 OK\r\n\r\nall of it").await;
        assert_eq!(connection.answer().await.unwrap().body, b"all of it");
    }

    #[tokio::test]
    async fn messages_that_are_cut_off_are_errors() {
        for text in ["POST / HT", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"] {
            assert!(connection(text.as_bytes()).await.request().await.is_err(), "{text}");
        }
    }
}
