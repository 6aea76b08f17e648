// The end of the present turn of the event loop, when everything that has arrived is known.

let next: Promise<void> | undefined;
/** While a turn ends. */
let ending: Promise<void> | undefined;

/**
 * Resolves at the end of this turn. For work that a turn's end has begun: when all such work has come as far as it can at once, so
 * that it does not wait for another turn.
 */
export function turnEnd(): Promise<void> {
  if (ending !== undefined) return ending;
  next ??= new Promise((resolve) => setImmediate(end, resolve));
  return next;
}

function end(resolve: () => void): void {
  next = undefined;
  const all = Promise.withResolvers<void>();
  ending = all.promise;
  resolve();
  // Microtasks end before the next tick begins.
  queueMicrotask(() =>
    process.nextTick(() => {
      ending = undefined;
      all.resolve();
    }),
  );
}
