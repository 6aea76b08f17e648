// An operation that several users want. No user waits for its plan in another user's queue.
// needs: processes
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../../../gateway/execution/compiled-executor.ts';
import { MadeOnce } from '../../../gateway/execution/made-once.ts';
import { ProcessPlanner } from '../../../gateway/execution/process-planner.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { testIdentity } from '../support/gateway.ts';

const log = pino({ level: 'silent' });
const program = join(import.meta.dirname, 'support', 'odd-planner.mjs');
const sdl = `type Query { ${Array.from({ length: 60 }, (_, at) => `f${at}: Int`).join(' ')} common: Int }`;
let planner: ProcessPlanner | undefined;

afterEach(() => planner?.close());

/** `planned` collects the texts in the order of their planning. */
function executorNoting(planned: string[]): CompiledExecutor {
  const supergraph = new Supergraph(composeSupergraph(new Map([['alpha', sdl]])));
  const real = new ProcessPlanner({ supergraphSdl: sdl, program, log });
  planner = real;
  const noting = {
    async plan(text: string) {
      const plan = await real.plan(text);
      planned.push(text);
      return plan;
    },
  };
  return new CompiledExecutor({ supergraph, planner: noting, links: new Map(), log });
}

async function send(executor: CompiledExecutor, user: string, text: string): Promise<void> {
  const context = { identity: testIdentity(user), requestId: 'r', loaders: new Map() };
  const document = parse(text, { noLocation: true });
  await executor.execute({ key: text, document, variables: {}, operationName: undefined, context });
}

test("an operation at the end of one user's queue is planned in the turn of another user who also wants it", async () => {
  const planned: string[] = [];
  const executor = executorNoting(planned);
  const done: string[] = [];
  const sent = async (user: string, text: string) => {
    await send(executor, user, text);
    done.push(`${user} ${text}`);
  };
  await Promise.all([
    ...Array.from({ length: 50 }, (_, at) => sent('flooder', `{ f${at} }`)),
    sent('flooder', '{ common }'),
    sent('other', '{ common }'),
  ]);
  expect(done.indexOf('other { common }')).toBeLessThan(4);
  expect(done.at(-1)).toBe('flooder { common }');
  // Another spelling of the operation gives the planner the same text.
  await sent('third', '{ c: common }');
  expect(planned.filter((text) => text.includes('common')).length).toBeLessThanOrEqual(2);
});

test('a user who sends an operation many times has one place in the queue', async () => {
  const planned: string[] = [];
  const executor = executorNoting(planned);
  await Promise.all(Array.from({ length: 20 }, () => send(executor, 'ann', '{ common }')));
  expect(planned).toHaveLength(1);
});

test('a plan that fails for one caller is attempted for the next, and a failure is not stored', async () => {
  const once = new MadeOnce<number>({ maxBytes: 1_000 });
  const work = (value: number | Error) => ({
    bytes: 1,
    make: async () => {
      if (value instanceof Error) throw value;
      return value;
    },
  });
  const [ann, bob] = [once.make('a', 'ann', work(new Error('busy'))), once.make('a', 'bob', work(7))];
  await expect(ann).rejects.toThrow('busy');
  expect(await bob).toBe(7);
  expect(await once.known('a', 'ann')).toBe(7);
  await expect(once.make('b', 'ann', work(new Error('busy')))).rejects.toThrow('busy');
  expect(once.known('b', 'ann')).toBeUndefined();
  expect(await once.make('b', 'ann', work(8))).toBe(8);
});
