// How every test, bench and picture starts Chromium: the system's own, quiet, with no traffic of its own.

/** Launch options for Playwright. The environment's CHROMIUM names another program. */
export const chromium = {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
