// Describes the graph in a separate thread, because reading and composing takes a good part of a second, and requests continue.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { OutsideSubgraph } from '../platform/machines/outside-subgraphs.ts';
import { type DescribedGraph, describeGraph, type RowSdl } from './described-graph.ts';

interface Task {
  readonly rows: readonly { readonly name: string; readonly sdl: string }[];
  readonly outside: readonly OutsideSubgraph[];
}

type Outcome = { readonly graph: DescribedGraph } | { readonly wrong: string };

const deadlineMs = 30_000;

/** Throws with a description of the fault. */
export async function describeInThread(
  rows: readonly RowSdl[],
  outside: readonly OutsideSubgraph[],
): Promise<DescribedGraph> {
  const task: Task = { rows: rows.map(({ name, sdl }) => ({ name, sdl: sdl.href })), outside };
  const thread = new Worker(new URL(import.meta.url), { workerData: task });
  try {
    const outcome = await outcomeOf(thread);
    if ('graph' in outcome) return outcome.graph;
    throw new Error(outcome.wrong);
  } finally {
    await thread.terminate();
  }
}

function outcomeOf(thread: Worker): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`composing the graph took more than ${deadlineMs / 1000} s`)),
      deadlineMs,
    );
    const settle = (end: () => void) => {
      clearTimeout(late);
      end();
    };
    thread.once('message', (outcome: Outcome) => settle(() => resolve(outcome)));
    thread.once('error', (error) => settle(() => reject(error)));
    thread.once('exit', () => settle(() => reject(new Error('the thread that composes the graph has ended'))));
  });
}

async function outcome({ rows, outside }: Task): Promise<Outcome> {
  try {
    const read = rows.map(({ name, sdl }) => ({ name, sdl: new URL(sdl) }));
    return { graph: await describeGraph(read, outside) };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

if (!isMainThread) parentPort?.postMessage(await outcome(workerData as Task));
