// The longest task of a page, read from the browser's own trace.

/** Waits. */
export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The longest task of the page while `work` goes on: how long it took, and how much of that it had the processor. */
export async function longest(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
  await work();
  await rest(300);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const threads = new Set(main.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, pid, tid }) => name === "RunTask" && threads.has(`${pid} ${tid}`));
  if (tasks.length === 0) throw new Error("the trace holds no task");
  const most = (field) => tasks.reduce((most, task) => Math.max(most, task[field] ?? 0), 0) / 1_000;
  return { took: most("dur"), worked: most("tdur") };
}
