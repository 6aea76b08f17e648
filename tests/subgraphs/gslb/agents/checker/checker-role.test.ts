// The checker role reports missing settings, and starts and stops without a conductor.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import type { MutualTls } from '../../../../../platform/machines/tls.ts';
import { Health } from '../../../../../platform/process/health.ts';
import type { ProcessContext } from '../../../../../platform/process/subgraph-row.ts';
import { createCheckerRole } from '../../../../../subgraphs/gslb/agents/checker/checker-role.ts';
import { checkerSettings } from '../../../../../subgraphs/gslb/agents/checker/checker-settings.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';

const log = pino({ level: 'silent' });
const shape = z.object(checkerSettings);
let folder: string;
let tls: MutualTls | undefined;
let good: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gslb-checker-role-'));
  tls = await testMachine(await testAuthority(), 'checker', 'eu-1', log);
  good = {
    'checker.controlUrls': `wss://127.0.0.1:${await freePort()}/link, wss://[::1]:1/link`,
    'checker.vantagePoint': 'eu',
    'checker.execPrograms': 'true=/bin/true,false=/bin/false',
    'checker.pluginFolder': folder,
  };
});
afterEach(() => rm(folder, { recursive: true }));

function contextOf(): { readonly ground: ProcessContext; readonly health: Health; readonly registry: Registry } {
  const [health, registry] = [new Health(), new Registry()];
  const ground = { ...{ processName: 'p', log, registry, health, egress: testEgress }, tlsOf: async () => tls };
  return { ground, health, registry };
}

const settingsOf = (given: Record<string, string>) => ({
  ...{ 'checker.vantagePoint': undefined, 'checker.pluginFolder': undefined },
  ...shape.parse(given),
});
const create = (given: Record<string, string>) => createCheckerRole(contextOf().ground, settingsOf(given));

test('missing or wrong settings are reported by name', async () => {
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  await expect(create(without('checker.controlUrls'))).rejects.toThrow('checker.controlUrls');
  await expect(create(without('checker.vantagePoint'))).rejects.toThrow('checker.vantagePoint');
  await expect(create({ ...good, 'checker.execPrograms': 'x=/nowhere/x' })).rejects.toThrow('/nowhere/x');
  await expect(create({ ...good, 'checker.pluginFolder': '/nowhere' })).rejects.toThrow('checker.pluginFolder');
  await writeFile(
    join(folder, 'tcp.mjs'),
    "export default { name: 'TCP', parameters: {}, needsPort: true, check() {} }",
  );
  await expect(create(good)).rejects.toThrow('another plugin has: TCP');
  tls = undefined;
  await expect(create(good)).rejects.toThrow('tidegate join');
  for (const wrong of ['x', 'X=/bin/true', 'x=bin/true'])
    expect(shape.safeParse({ 'checker.execPrograms': wrong }).success).toBe(false);
  for (const wrong of ['name.example', '1.2.3.4:x'])
    expect(shape.safeParse({ 'checker.resolvers': wrong }).success).toBe(false);
  expect(shape.parse({ 'checker.resolvers': '192.0.2.1, 2001:db8::1' })['checker.resolvers']).toHaveLength(2);
});

test('it starts and ends without the conductor', async () => {
  const { ground, health, registry } = contextOf();
  const role = await createCheckerRole(ground, settingsOf(good));
  await role.start?.();
  expect(JSON.stringify(await health.components())).toContain('0 targets, not connected to the conductor');
  expect(await registry.metrics()).toContain('tidegate_checker_connected 0');
  await role.stop?.();
});
