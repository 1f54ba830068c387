// Starts the site's own static server, for scripts and for tests that need a second origin or a base path.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Serves a folder on the next free port.
 * @param {{ folder?: string, port?: number, base?: string }} [options]
 * @returns {Promise<{ url: string, stop: () => void }>} the address it printed, and how to stop it
 */
export function startServer({ folder = "dist", port = 4273, base = "/" } = {}) {
  const words = ["press", "serve", folder, "--port", String(port), "--base", base];
  const child = spawn("cargo", words, { cwd: top, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`cargo ${words.join(" ")} ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /Serving .* at (http:\S+)/.exec(line)?.[1];
      if (url) resolve({ url, stop: () => child.kill() });
    });
  });
}
