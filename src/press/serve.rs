//! A plain static file server, so that a built site can be looked at as any host would serve it.
//!
//! It speaks just enough HTTP/1.1 (RFC 9110, RFC 9112) for browsers: GET and HEAD, connections that
//! stay open, entity tags, and files compressed beforehand. What it leaves out is deliberate: there
//! is no fallback to `index.html`, because a page that only such a fallback makes work would fail on
//! the static hosts that the site is meant for.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// How many ports after the wanted one are tried when it is taken.
const PORTS_TRIED: u16 = 100;
/// The longest request head that is read; browsers send about one kilobyte.
const HEAD_BYTES_MAX: u64 = 32 * 1024;
/// How long an idle connection stays open.
const IDLE: Duration = Duration::from_secs(60);

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with the built site.
    pub folder: PathBuf,
    /// The wanted port; when it is taken the next free one serves instead. Zero asks for any.
    pub port: u16,
    /// The path below which the site appears, as `/` or `/courses/loadlab/`.
    pub base: String,
    /// Whether to show the site in a browser, where there is a screen.
    pub open: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("dist"),
            port: 8080,
            base: "/".to_owned(),
            open: false,
        }
    }
}

/// Serves the folder until the process ends, having printed the address.
///
/// # Errors
/// When the folder does not exist, or no port from the wanted one on can be had.
pub fn serve(options: &Options) -> io::Result<()> {
    let server = Server::bind(options)?;
    let url = server.url()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Serving {} at {url} (Ctrl+C stops)",
        options.folder.display()
    )?;
    out.flush()?;
    drop(out);
    if options.open {
        open_browser(&url);
    }
    server.run()
}

/// A server whose port is taken but which does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Takes the wanted port, or the next free one.
    ///
    /// # Errors
    /// When the folder does not exist, or none of the ports can be had.
    pub fn bind(options: &Options) -> io::Result<Self> {
        let site = Site::new(&options.folder, &options.base)?;
        let mut port = options.port;
        let listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => break listener,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    let next = port.checked_add(1);
                    port = next
                        .filter(|next| next - options.port <= PORTS_TRIED)
                        .ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Self {
            listener,
            site: Arc::new(site),
        })
    }

    /// The address of the site's first page.
    ///
    /// # Errors
    /// When the system cannot name the port that was taken.
    pub fn url(&self) -> io::Result<String> {
        let address: SocketAddr = self.listener.local_addr()?;
        Ok(format!("http://{address}{}", self.site.base))
    }

    /// Answers requests until the process ends, one thread for each connection.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn run(self) -> io::Result<()> {
        for stream in self.listener.incoming() {
            // A connection that broke before it began concerns nobody else.
            let Ok(stream) = stream else { continue };
            let site = Arc::clone(&self.site);
            std::thread::Builder::new().spawn(move || {
                // A browser that goes away in mid-answer is no error of the server's.
                let _ = converse(&stream, &site);
            })?;
        }
        Ok(())
    }
}

/// Shows the address in a browser where there is a screen; without one, the printed address is enough.
fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(unix)
        && ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some())
    {
        "xdg-open"
    } else {
        return;
    };
    let quiet = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Waiting in the background keeps no zombie; a browser that will not start is no reason to stop serving.
    if let Ok(mut child) = quiet {
        std::thread::spawn(move || child.wait());
    }
}

/// The parts of a request that change the answer.
#[derive(Clone, Debug, Default)]
struct Request {
    method: String,
    target: String,
    encodings: String,
    known_tags: String,
    keep_open: bool,
}

/// An answer, without the headers that follow from its fields.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn plain(status: u16) -> Self {
        Self {
            status,
            headers: vec![
                ("Content-Type", "text/plain; charset=utf-8".to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body: format!("{status} {}\n", reason(status)).into_bytes(),
        }
    }

    #[cfg(test)]
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A folder, and the path below which it appears.
#[derive(Debug)]
struct Site {
    folder: PathBuf,
    base: String,
}

impl Site {
    fn new(folder: &Path, base: &str) -> io::Result<Self> {
        let named = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("cannot serve {}: {error}", folder.display()),
            )
        };
        let folder_real = folder.canonicalize().map_err(named)?;
        if !folder_real.is_dir() {
            return Err(named(io::ErrorKind::NotADirectory.into()));
        }
        let inner = base.trim_matches('/');
        let base = if inner.is_empty() {
            "/".to_owned()
        } else {
            format!("/{inner}/")
        };
        Ok(Self {
            folder: folder_real,
            base,
        })
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.method != "GET" && request.method != "HEAD" {
            let mut answer = Answer::plain(405);
            answer.headers.push(("Allow", "GET, HEAD".to_owned()));
            return answer;
        }
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.target.as_str(), None),
        };
        let Some(below) = path.strip_prefix(self.base.as_str()) else {
            let is_base = !path.is_empty() && path == self.base.trim_end_matches('/');
            return if is_base {
                redirect(path, query)
            } else {
                Answer::plain(404)
            };
        };
        let Some(file) = self.locate(below) else {
            return Answer::plain(404);
        };
        if !file.is_dir() {
            return send(&file, request).unwrap_or_else(|_| Answer::plain(404));
        }
        let index = file.join("index.html");
        if !index.is_file() {
            return Answer::plain(404);
        }
        // Relative addresses in a page mean something else without the closing slash.
        if below.is_empty() || below.ends_with('/') {
            send(&index, request).unwrap_or_else(|_| Answer::plain(404))
        } else {
            redirect(path, query)
        }
    }

    /// The existing file or folder that a path names, unless it would lead out of the site.
    fn locate(&self, below: &str) -> Option<PathBuf> {
        let mut found = self.folder.clone();
        let wants_folder = below.is_empty() || below.ends_with('/');
        let trimmed = below.strip_suffix('/').unwrap_or(below);
        if !below.is_empty() {
            for segment in trimmed.split('/') {
                let name = decode(segment)?;
                if name.is_empty()
                    || name == "."
                    || name == ".."
                    || name.contains(['/', '\\', '\0', ':'])
                {
                    return None;
                }
                found.push(name);
            }
        }
        // A symbolic link may still point elsewhere; only the real path tells.
        let real = found.canonicalize().ok()?;
        (real.starts_with(&self.folder) && (real.is_dir() || !wants_folder)).then_some(real)
    }
}

/// Undoes percent-encoding; none when it is malformed or not UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut plain = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            plain.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).ok()
}

/// Sends the browser to the same path with a closing slash, for this once: a permanent redirect would
/// outlive the site that this port serves today.
fn redirect(path: &str, query: Option<&str>) -> Answer {
    let mut answer = Answer::plain(307);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    answer.headers.push(("Location", format!("{path}/{query}")));
    answer
}

/// Sends a file, or the copy of it compressed beforehand that the browser takes.
fn send(file: &Path, request: &Request) -> io::Result<Answer> {
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .find_map(|(coding, extension)| {
            let mut name = file.as_os_str().to_owned();
            name.push(".");
            name.push(extension);
            let copy = PathBuf::from(name);
            (accepts(&request.encodings, coding) && copy.is_file()).then_some((coding, copy))
        });
    let (coding, source) = match &compressed {
        Some((coding, copy)) => (Some(*coding), copy.as_path()),
        None => (None, file),
    };
    let facts = fs::metadata(source)?;
    let changed = facts
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let tag = format!(
        "\"{:x}-{:x}-{}\"",
        changed.as_nanos(),
        facts.len(),
        coding.unwrap_or("id")
    );
    let mut answer = Answer {
        status: 200,
        headers: vec![
            ("Content-Type", mime(file).to_owned()),
            // Kept, but asked about each time, so that a new build shows at once.
            ("Cache-Control", "no-cache".to_owned()),
            ("ETag", tag.clone()),
            ("Vary", "Accept-Encoding".to_owned()),
            // A lesson in a sandboxed frame has no origin, so to it even its own program, words and fonts are
            // another's. Nothing here is private; every host of the site has to send this.
            ("Access-Control-Allow-Origin", "*".to_owned()),
        ],
        body: Vec::new(),
    };
    if let Some(coding) = coding {
        answer.headers.push(("Content-Encoding", coding.to_owned()));
    }
    if request
        .known_tags
        .split(',')
        .any(|known| known.trim().trim_start_matches("W/") == tag)
    {
        answer.status = 304;
    } else {
        answer.body = fs::read(source)?;
    }
    Ok(answer)
}

/// Whether an Accept-Encoding header names this coding and does not refuse it with a weight of zero.
fn accepts(encodings: &str, coding: &str) -> bool {
    encodings.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Ok(1.0), str::parse::<f32>);
        named && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// The media type of a file, by its extension (IANA's names).
fn mime(file: &Path) -> &'static str {
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "zip" => "application/zip",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Error",
    }
}

/// Answers the requests of one connection until either side closes it.
fn converse(stream: &TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (request, answer) = match read_request(&mut reader)? {
            Head::End => return Ok(()),
            Head::Bad => (Request::default(), Answer::plain(400)),
            Head::Request(request) => {
                let answer = site.answer(&request);
                (request, answer)
            }
        };
        // A body might follow what was refused; closing is simpler than reading it.
        let keep_open = request.keep_open && !matches!(answer.status, 400 | 405);
        write_answer(stream, &answer, request.method == "HEAD", keep_open)?;
        if !keep_open {
            return Ok(());
        }
    }
}

/// What came in on a connection.
enum Head {
    End,
    Bad,
    Request(Request),
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Head> {
    let mut limited = reader.take(HEAD_BYTES_MAX);
    let mut line = Vec::new();
    // Some clients send an empty line between requests.
    while line.trim_ascii().is_empty() {
        line.clear();
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(Head::End);
        }
    }
    let Ok(first) = str::from_utf8(&line) else {
        return Ok(Head::Bad);
    };
    let mut words = first.split_ascii_whitespace();
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Ok(Head::Bad);
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Ok(Head::Bad);
    }
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        keep_open: version != "HTTP/1.0",
        ..Request::default()
    };
    loop {
        line.clear();
        limited.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(Head::Bad);
        }
        let header = String::from_utf8_lossy(&line);
        let header = header.trim();
        if header.is_empty() {
            return Ok(Head::Request(request));
        }
        let Some((name, value)) = header.split_once(':') else {
            return Ok(Head::Bad);
        };
        match name.to_ascii_lowercase().as_str() {
            "accept-encoding" => value.trim().clone_into(&mut request.encodings),
            "if-none-match" => value.trim().clone_into(&mut request.known_tags),
            "connection" if value.trim().eq_ignore_ascii_case("close") => request.keep_open = false,
            // Nothing here reads a body, so what follows one could not be told from a request.
            "content-length" if value.trim() != "0" => request.keep_open = false,
            "transfer-encoding" => request.keep_open = false,
            _ => {}
        }
    }
}

fn write_answer(
    mut stream: &TcpStream,
    answer: &Answer,
    head_only: bool,
    keep_open: bool,
) -> io::Result<()> {
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    if answer.status != 304 {
        bytes += &format!("Content-Length: {}\r\n", answer.body.len());
    }
    bytes += "X-Content-Type-Options: nosniff\r\n";
    bytes += if keep_open {
        "Connection: keep-alive\r\n\r\n"
    } else {
        "Connection: close\r\n\r\n"
    };
    stream.write_all(bytes.as_bytes())?;
    if !head_only {
        stream.write_all(&answer.body)?;
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A small site in a folder of its own, removed afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let root =
                std::env::temp_dir().join(format!("loadlab-serve-{}-{number}", std::process::id()));
            fs::create_dir_all(root.join("site/l/x")).unwrap();
            fs::create_dir_all(root.join("site/empty")).unwrap();
            fs::write(root.join("secret.txt"), "secret").unwrap();
            fs::write(root.join("site/index.html"), "catalogue").unwrap();
            fs::write(root.join("site/l/x/index.html"), "lesson").unwrap();
            fs::write(root.join("site/app.wasm"), "wasm, plain").unwrap();
            fs::write(root.join("site/app.wasm.br"), "wasm, br").unwrap();
            fs::write(root.join("site/app.wasm.gz"), "wasm, gzip").unwrap();
            fs::write(root.join("site/a b.css"), "css").unwrap();
            Self(root)
        }

        fn site(&self, base: &str) -> Site {
            Site::new(&self.0.join("site"), base).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn get(target: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            ..Request::default()
        }
    }

    #[test]
    fn files_and_folders_are_served_with_their_types() {
        let folder = Folder::new();
        let site = folder.site("/");
        for (target, kind, body) in [
            ("/", "text/html; charset=utf-8", "catalogue"),
            ("/?theme=dark", "text/html; charset=utf-8", "catalogue"),
            ("/l/x/", "text/html; charset=utf-8", "lesson"),
            ("/l/x/index.html", "text/html; charset=utf-8", "lesson"),
            ("/app.wasm", "application/wasm", "wasm, plain"),
            ("/a%20b.css", "text/css; charset=utf-8", "css"),
        ] {
            let answer = site.answer(&get(target));
            assert_eq!(
                (answer.status, answer.header("Content-Type")),
                (200, Some(kind)),
                "{target}"
            );
            assert_eq!(answer.body, body.as_bytes(), "{target}");
        }
    }

    #[test]
    fn nothing_stands_in_for_a_missing_page() {
        let folder = Folder::new();
        let site = folder.site("/");
        for target in [
            "/none",
            "/l/",
            "/l/none/",
            "/empty/",
            "/app.wasm/",
            "/l//x/",
            "//",
            "/%",
            "/%zz",
            "/%ff",
        ] {
            assert_eq!(site.answer(&get(target)).status, 404, "{target}");
        }
    }

    #[test]
    fn a_folder_without_its_slash_redirects_and_keeps_the_query() {
        let folder = Folder::new();
        let answer = folder.site("/").answer(&get("/l/x?seed=7"));
        assert_eq!(
            (answer.status, answer.header("Location")),
            (307, Some("/l/x/?seed=7"))
        );
        let based = folder.site("a/b").answer(&get("/a/b?seed=7"));
        assert_eq!(
            (based.status, based.header("Location")),
            (307, Some("/a/b/?seed=7"))
        );
    }

    #[test]
    fn a_base_moves_the_whole_site() {
        let folder = Folder::new();
        for base in ["/a/b/", "/a/b", "a/b"] {
            let site = folder.site(base);
            assert_eq!(site.answer(&get("/a/b/l/x/")).body, b"lesson", "{base}");
            for outside in ["/", "/l/x/", "/a/", "/a/bc", "/a"] {
                assert_eq!(site.answer(&get(outside)).status, 404, "{base} {outside}");
            }
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let folder = Folder::new();
        let site = folder.site("/");
        for target in [
            "/../secret.txt",
            "/l/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/..%5csecret.txt",
            "/l/%2E./../secret.txt",
            "/%00",
        ] {
            assert_eq!(site.answer(&get(target)).status, 404, "{target}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_symbolic_link_leads_out_of_the_folder() {
        let folder = Folder::new();
        std::os::unix::fs::symlink(folder.0.join("secret.txt"), folder.0.join("site/link.txt"))
            .unwrap();
        assert_eq!(folder.site("/").answer(&get("/link.txt")).status, 404);
    }

    #[test]
    fn compressed_copies_go_to_browsers_that_take_them() {
        let folder = Folder::new();
        let site = folder.site("/");
        for (encodings, coding, body) in [
            ("gzip, deflate, br", Some("br"), "wasm, br"),
            ("gzip", Some("gzip"), "wasm, gzip"),
            ("br;q=0, gzip;q=0.5", Some("gzip"), "wasm, gzip"),
            ("brotli", None, "wasm, plain"),
            ("", None, "wasm, plain"),
        ] {
            let answer = site.answer(&Request {
                encodings: encodings.to_owned(),
                ..get("/app.wasm")
            });
            assert_eq!(answer.header("Content-Encoding"), coding, "{encodings}");
            assert_eq!(
                answer.header("Content-Type"),
                Some("application/wasm"),
                "{encodings}"
            );
            assert_eq!(answer.body, body.as_bytes(), "{encodings}");
        }
    }

    #[test]
    fn a_known_tag_saves_the_body() {
        let folder = Folder::new();
        let site = folder.site("/");
        let tag = site
            .answer(&get("/app.wasm"))
            .header("ETag")
            .unwrap()
            .to_owned();
        let known = Request {
            known_tags: format!("\"other\", W/{tag}"),
            ..get("/app.wasm")
        };
        let answer = site.answer(&known);
        assert_eq!((answer.status, answer.body.len()), (304, 0));
        let compressed = Request {
            encodings: "br".to_owned(),
            ..known
        };
        assert_eq!(
            site.answer(&compressed).status,
            200,
            "the compressed copy has a tag of its own"
        );
    }

    #[test]
    fn only_reading_is_allowed() {
        let folder = Folder::new();
        let answer = folder.site("/").answer(&Request {
            method: "POST".to_owned(),
            ..get("/")
        });
        assert_eq!(
            (answer.status, answer.header("Allow")),
            (405, Some("GET, HEAD"))
        );
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Site::new(Path::new("/no/such/folder"), "/").unwrap_err();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }

    #[test]
    fn malformed_requests_are_refused() {
        for head in [
            "GET /\r\n\r\n",
            "GET x HTTP/1.1\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / HTTP/1.1\r\nbroken\r\n\r\n",
        ] {
            assert!(
                matches!(read_request(&mut head.as_bytes()), Ok(Head::Bad)),
                "{head}"
            );
        }
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 * 1024));
        assert!(matches!(
            read_request(&mut endless.as_bytes()),
            Ok(Head::Bad)
        ));
        assert!(matches!(read_request(&mut &b""[..]), Ok(Head::End)));
    }

    #[test]
    fn one_connection_carries_several_requests_and_a_taken_port_moves_on() {
        let folder = Folder::new();
        let options = Options {
            folder: folder.0.join("site"),
            port: 0,
            ..Options::default()
        };
        let first = Server::bind(&options).unwrap();
        let port = first.listener.local_addr().unwrap().port();
        // The highest port has no next one; any other moves on.
        if port < u16::MAX - PORTS_TRIED {
            let second = Server::bind(&Options { port, ..options }).unwrap();
            assert_ne!(second.listener.local_addr().unwrap().port(), port);
        }
        std::thread::spawn(move || first.run());

        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let requests = "GET /l/x/ HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n";
        stream.write_all(requests.as_bytes()).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{heard}");
        assert_eq!(heard.matches("Content-Length: 9\r\n").count(), 2, "{heard}");
        assert_eq!(
            (
                heard.matches("lesson").count(),
                heard.matches("catalogue").count()
            ),
            (1, 1),
            "{heard}"
        );
    }
}
