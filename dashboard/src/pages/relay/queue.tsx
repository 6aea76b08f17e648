// A backend's queue in figures and a bar, muted while it is idle: calls on the wire, waiting calls, and the limit.
import type { Backend } from './kinds/backend.ts';

export function Queue({ queue }: { readonly queue: Backend['queue'] }) {
  const { waiting, inFlight, limit } = queue;
  const label = `${inFlight} on the wire, ${waiting} waiting, at most ${limit} may wait`;
  return (
    <span className="queue" data-full={limit > 0 && waiting >= limit} title={label}>
      <span className="visually-hidden">{label}</span>
      {inFlight === 0 && waiting === 0 && (
        <span className="dim" aria-hidden="true">
          idle
        </span>
      )}
      {inFlight > 0 && (
        <span aria-hidden="true">
          <b>{inFlight}</b> sent
        </span>
      )}
      {waiting > 0 && (
        <>
          <span aria-hidden="true">
            <b>{waiting}</b>/{limit} waiting
          </span>
          <meter min={0} max={Math.max(1, limit)} high={limit * 0.8} value={waiting} aria-hidden="true" />
        </>
      )}
    </span>
  );
}

/** The detailed version, for one backend. */
export function QueueBar({ queue }: { readonly queue: Backend['queue'] }) {
  const { waiting, inFlight, limit } = queue;
  return (
    <span className="queue-bar">
      <span>
        <b>{inFlight}</b> on the wire, <b>{waiting}</b> waiting
      </span>
      <meter
        min={0}
        max={Math.max(1, limit)}
        high={limit * 0.8}
        value={waiting}
        aria-label={`${waiting} of ${limit}`}
      />
      <span className="dim">of {limit} that may wait</span>
    </span>
  );
}
