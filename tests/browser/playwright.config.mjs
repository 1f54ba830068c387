// Real-browser tests: Debian's Chromium against the built site, served as any static host would.
import { defineConfig } from "@playwright/test";
import { chromium } from "./chromium.mjs";

// The server takes the next free port where this one is taken, and what it prints is what counts.
const serving = /Serving .* at http:\/\/127\.0\.0\.1:(?<loadlab_port>\d+)\//;

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.mjs",
  outputDir: "../../test-results",
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${process.env.LOADLAB_PORT}/`,
    browserName: "chromium",
    launchOptions: chromium,
    locale: "en-GB",
    viewport: { width: 1280, height: 860 },
    screenshot: "only-on-failure",
    trace: "off",
  },
  webServer: {
    command: "cargo press serve dist --port 4173",
    cwd: new URL("../..", import.meta.url).pathname,
    wait: { stdout: serving },
    // A first start may still have to build the server.
    timeout: 900_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 2_000 },
  },
});
