// A minimal event loop of an M/M/c queue, as one would write it by hand: a binary heap, a queue, a generator.

function heap() {
  const items = [];
  const before = (a, b) => a.at < b.at || (a.at === b.at && a.n < b.n);
  let n = 0;
  return {
    push(at, kind) {
      const item = { at, n: n++, kind };
      let i = items.push(item) - 1;
      while (i > 0) {
        const up = (i - 1) >> 1;
        if (!before(item, items[up])) break;
        items[i] = items[up];
        i = up;
      }
      items[i] = item;
    },
    pop() {
      const top = items[0];
      const last = items.pop();
      if (items.length > 0) {
        let i = 0;
        for (;;) {
          let child = 2 * i + 1;
          if (child >= items.length) break;
          if (child + 1 < items.length && before(items[child + 1], items[child])) child++;
          if (!before(items[child], last)) break;
          items[i] = items[child];
          i = child;
        }
        items[i] = last;
      }
      return top;
    },
  };
}

// Runs until `s` simulated seconds and returns the number of events and the mean time in the system.
export function mmc(lambda, mu, servers, s, seed = 1) {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  const gap = (rate) => -Math.log(random()) / rate;
  const agenda = heap();
  const waiting = [];
  let head = 0, busy = 0, events = 0, served = 0, sojourn = 0;
  const started = [];
  agenda.push(gap(lambda), 0);
  for (;;) {
    const { at, kind } = agenda.pop();
    if (at > s) return { events, mean: sojourn / served };
    events++;
    if (kind === 0) {
      agenda.push(at + gap(lambda), 0);
      if (busy < servers) {
        busy++;
        started.push(at);
        agenda.push(at + gap(mu), 1);
      } else {
        waiting.push(at);
      }
    } else {
      served++;
      sojourn += at - started.shift();
      if (head < waiting.length) {
        started.push(waiting[head++]);
        agenda.push(at + gap(mu), 1);
        if (head > 4096) {
          waiting.splice(0, head);
          head = 0;
        }
      } else {
        busy--;
      }
    }
  }
}
