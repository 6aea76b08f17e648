// The gateway's executor against one schema that holds all the data, with another seed in each run.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { CompiledExecutor } from '../../gateway/execution/compiled-executor.ts';
import { FieldPlanner } from '../../gateway/execution/field-planner.ts';
import { runGatewayDifferential } from '../../trials/gateway-differential.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

test(`500 random operations have no difference (seed ${seed})`, async () => {
  const { different, forged, unplanned, findings } = await runGatewayDifferential({ seed, cases: 500 });
  expect({ different, forged, unplanned, findings }).toEqual({ different: 0, forged: 0, unplanned: 0, findings: [] });
}, 300_000);

test(`500 random operations that are all planned by fields have a plan and no difference (seed ${seed})`, async () => {
  const log = pino({ level: 'silent' });
  const result = await runGatewayDifferential({
    ...{ seed, cases: 500 },
    async makeExecutor({ supergraph, links }) {
      const byFields = new FieldPlanner(supergraph.sdl);
      const planner = { plan: async (text: string) => byFields.plan(text) };
      return new CompiledExecutor({ supergraph, planner, links, log });
    },
  });
  const { different, forged, unplanned, findings } = result;
  expect({ different, forged, unplanned, findings }).toEqual({ different: 0, forged: 0, unplanned: 0, findings: [] });
}, 300_000);
