// Settings of subgraphs that other teams run: `subgraphs.NAME.urls` and beside it, for a name that the product does not have.
import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback } from '../net/address-block.ts';

/** Lower case, because the planner makes names of enum values from it. */
export const outsideName = /^[a-z][a-z0-9]{0,31}$/;
const mostUrls = 9;

const place = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { protocol, hostname } = new URL(text);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return protocol === 'https:' || host === 'localhost' || (isIP(host) !== 0 && isLoopback(host));
}, 'use https: http is for loopback addresses only');

/** Of a subgraph's queries. */
export const queryDeadlineMs = z.coerce.number().int().min(100).max(600_000);

const shape = z.strictObject({
  urls: z.preprocess(
    (given) => (typeof given === 'string' ? [given] : given),
    z
      .array(place)
      .min(1)
      .max(mostUrls)
      .transform((all) => all as [string, ...string[]]),
  ),
  sdl: z.string().min(1),
  caFile: z.string().min(1).optional(),
  deadlineMs: queryDeadlineMs.optional(),
  oneAtATime: z.union([z.boolean(), z.stringbool()]).optional(),
});

/** A subgraph of another team, as the settings describe it. */
export type OutsideSubgraph = z.output<typeof shape> & { readonly name: string };

interface OutsideFault {
  readonly setting: string;
  readonly wrong: string;
  readonly advice: string;
}

const settingPattern = /^subgraphs\.([^.]+)\.([^.]+)$/;

/** Takes the settings of outside subgraphs out of `values`, which has all settings by dotted name. */
export function takeOutsideSubgraphs(
  values: Record<string, unknown>,
  ours: ReadonlySet<string>,
): { readonly subgraphs: readonly OutsideSubgraph[]; readonly faults: readonly OutsideFault[] } {
  const given = new Map<string, Record<string, unknown>>();
  for (const [setting, value] of Object.entries(values)) {
    const [, name, field] = settingPattern.exec(setting) ?? [];
    if (name === undefined || field === undefined) continue;
    delete values[setting];
    given.set(name, { ...given.get(name), [field]: value });
  }
  const subgraphs: OutsideSubgraph[] = [];
  const faults: OutsideFault[] = [];
  for (const [name, fields] of given) {
    const fault = faultOfName(name, ours);
    if (fault !== undefined) faults.push({ setting: `subgraphs.${name}`, ...fault });
    const parsed = shape.safeParse(fields);
    for (const issue of parsed.error?.issues ?? []) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : undefined;
      faults.push({
        setting: ['subgraphs', name, unknown ?? issue.path[0] ?? ''].join('.'),
        wrong: unknown === undefined ? issue.message : 'there is no such setting',
        advice: 'a subgraph of your own has urls, sdl and perhaps caFile, deadlineMs and oneAtATime: docs/extending.md',
      });
    }
    if (fault === undefined && parsed.success) subgraphs.push({ name, ...parsed.data });
  }
  return { subgraphs, faults };
}

function faultOfName(name: string, ours: ReadonlySet<string>): Omit<OutsideFault, 'setting'> | undefined {
  if (ours.has(name.toLowerCase()))
    return { wrong: 'the product has a subgraph of this name', advice: 'choose another name for yours' };
  if (outsideName.test(name)) return undefined;
  return {
    wrong: 'this is not a name for a subgraph',
    advice: 'give 1 to 32 lower-case letters and digits, a letter first',
  };
}
