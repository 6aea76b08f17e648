// Carries out the tasks of `tidegate check-client` with the client in TypeScript. docs/check-client.md describes them.
import { carryOut } from '../../../clients/typescript/relay-client.ts';
import { keepLogin } from '../../../clients/typescript/session.ts';
import { followStatus, StreamRefused } from '../../../clients/typescript/status-stream.ts';
import { waitFor } from '../../../clients/typescript/wait-for.ts';

export interface Task {
  readonly task: string;
  readonly do: 'call' | 'wait' | 'follow';
  readonly url: string;
  readonly deadlineMs: number;
  readonly hurry: { readonly firstPauseMs: number; readonly longestPauseMs: number; readonly silentAfterMs: number };
  readonly login: { readonly token: string } | { readonly name: string; readonly password: string };
  // call
  readonly mutation: string;
  readonly idempotencyKey: string;
  readonly input: Readonly<Record<string, unknown>>;
  // wait
  readonly id: string;
  readonly timeoutMs: number;
  // follow
  readonly subjectId: string;
  readonly snapshot: { readonly query: string; readonly variables: object };
  readonly until: string | null;
  /** For a real installation, which does not know the ids of its events beforehand: the status of the last change. */
  readonly untilStatus?: string;
  readonly consumerPauseMs: number;
}

export interface Report {
  readonly outcome?: string;
  readonly saw?: readonly string[];
  readonly gaveUp?: string;
}

/** Until there are no more. `doer`: a client other than ours. */
export async function carryOutTasks(
  origin: string,
  doer: (task: Task) => Promise<Report> = (task) => doers[task.do](task),
): Promise<void> {
  for (;;) {
    const task = (await (await fetch(`${origin}/next`)).json()) as Task | { readonly done: true };
    if ('done' in task) return;
    const report = { task: task.task, ...(await doer(task)) };
    await fetch(`${origin}/report`, { method: 'POST', body: JSON.stringify(report) });
  }
}

const doers = { call, wait, follow };

function endpointOf({ url, login }: Task) {
  return { url, token: 'token' in login ? login.token : keepLogin({ url, ...login }) };
}

async function call(task: Task): Promise<Report> {
  const { mutation, idempotencyKey, input, deadlineMs, hurry } = task;
  const outcome = await carryOut(endpointOf(task), { mutation, idempotencyKey, input }, { deadlineMs, ...hurry });
  return { outcome: outcome.kind };
}

async function wait(task: Task): Promise<Report> {
  const waited = await waitFor(endpointOf(task), task.id, task.timeoutMs, task.hurry);
  return { outcome: waited.kind === 'ENDED' ? waited.work.state : waited.kind };
}

async function follow({
  subjectId,
  snapshot,
  until,
  untilStatus,
  consumerPauseMs,
  hurry,
  deadlineMs,
  ...task
}: Task): Promise<Report> {
  const signal = AbortSignal.timeout(deadlineMs);
  const filter = { subjectId };
  const endpoint = endpointOf(task as Task);
  const saw: string[] = [];
  try {
    for await (const item of followStatus<{ backend: { version: number } }>(endpoint, {
      filter,
      snapshot,
      signal,
      ...hurry,
    })) {
      saw.push(item.kind === 'SNAPSHOT' ? `snapshot ${item.data?.backend.version}` : item.change.id);
      if (saw.at(-1) === until || (item.kind === 'CHANGE' && item.change.to === untilStatus)) break;
      const isFirst = saw.filter((each) => each.startsWith('event')).length === 1;
      if (item.kind === 'CHANGE' && isFirst) await new Promise((resolve) => setTimeout(resolve, consumerPauseMs));
    }
  } catch (error) {
    if (!(error instanceof StreamRefused)) throw error;
    return { saw, gaveUp: error.code };
  }
  return { saw };
}
