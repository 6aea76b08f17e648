// The trial of the gateway's executor can fail, because it finds deliberately broken executors. The same seed gives the
// same result.
// needs: load
import { describe, expect, test } from '@jest/globals';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { GatewayOperation } from '../../gateway/supergraph/executor.ts';
import { isLying } from '../../trials/gateway-differential/lies.ts';
import type { newRun, World } from '../../trials/gateway-differential/world.ts';
import { type MakeExecutor, runGatewayDifferential } from '../../trials/gateway-differential.ts';

type Break = (result: ExecutionResult, operation: GatewayOperation) => ExecutionResult;

/** The one schema itself, whose answers a fault changes. It ignores the faults of single subgraphs. */
function brokenBy(change: Break): MakeExecutor {
  return async (world: World) => ({
    async execute(operation) {
      const { document, operationName, variables, context } = operation;
      const result = await world.whole({
        document,
        operationName,
        variables,
        context: context as ReturnType<typeof newRun>,
      });
      return change(result, operation);
    },
  });
}

const seed = Number(process.env.SEED ?? 1);
const foundIn = async (change: Break, cases: number) =>
  (await runGatewayDifferential({ seed, cases, makeExecutor: brokenBy(change) })).different;

test(`the one schema has no difference from itself (seed ${seed})`, async () => {
  const result = await runGatewayDifferential({ seed, cases: 60, makeExecutor: brokenBy((answer) => answer) });
  expect(result).toMatchObject({ cases: 60, different: 0 });
  expect(result.uncomposed).toBeLessThanOrEqual(result.graphs / 3);
}, 60_000);

describe('a broken executor is found', () => {
  test('one that returns fields that a subgraph was not asked for', async () => {
    const makeExecutor = brokenBy((result, { context }) =>
      isLying(context) ? { ...result, data: { ...result.data, forged: 'forged' } } : result,
    );
    const { forged, different } = await runGatewayDifferential({ seed, cases: 20, makeExecutor });
    expect([forged > 0, different]).toEqual([true, 0]);
  }, 60_000);

  test('one that drops errors', async () => {
    expect(await foundIn(({ data }) => ({ data: data ?? null }), 60)).toBeGreaterThan(0);
  }, 60_000);

  test('one that swaps the first two names', async () => {
    const swapped: Break = (result) => {
      const [first, second, ...rest] = Object.entries(result.data ?? {});
      if (first === undefined || second === undefined) return result;
      return { ...result, data: Object.fromEntries([[first[0], second[1]], [second[0], first[1]], ...rest]) };
    };
    expect(await foundIn(swapped, 20)).toBeGreaterThan(0);
  }, 60_000);

  test('one that loses a field', async () => {
    const without: Break = (result) =>
      result.data == null ? result : { ...result, data: Object.fromEntries(Object.entries(result.data).slice(1)) };
    expect(await foundIn(without, 20)).toBeGreaterThan(0);
  }, 60_000);

  test('one that reports an error without a cause', async () => {
    const errors = [{ message: 'nothing', path: ['hello'] }] as unknown as ExecutionResult['errors'] & object;
    expect(await foundIn((result) => ({ ...result, errors }), 20)).toBeGreaterThan(0);
  }, 60_000);
});

test('an operation without a plan is counted separately', async () => {
  const errors = [new GraphQLError('no plan', { extensions: { code: 'NOT_PLANNED' } })];
  const makeExecutor = brokenBy(() => ({ errors }));
  expect(await runGatewayDifferential({ seed, cases: 20, makeExecutor })).toMatchObject({
    different: 0,
    unplanned: 20,
  });
}, 60_000);

test('the same seed gives the same findings', async () => {
  const dropped = brokenBy(({ data }) => ({ data: data ?? null }));
  const [first, second] = [
    await runGatewayDifferential({ seed, cases: 20, makeExecutor: dropped }),
    await runGatewayDifferential({ seed, cases: 20, makeExecutor: dropped }),
  ];
  expect(second).toEqual(first);
}, 60_000);
