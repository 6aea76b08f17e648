// A file with null for a field is applied once, and the second run changes nothing. This holds for every field of every kind. A null that
// the graph refuses does not change anything either.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exportedKinds } from '../../../cli/apply/export.ts';
import { makeAction, manifestField } from '../../../cli/apply/kind-manifest.ts';
import { kindOf } from '../../../cli/kinds/find-object.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../platform/values/json.ts';
import { ownFields } from '../../../schema/kinds/kind.ts';
import { patience } from '../../support/machine/patience.ts';
import { type Applying, applying, documents } from './one-of-each-kind.ts';
import { runCommand } from './run-command.ts';

let place: Applying;

beforeAll(async () => {
  place = await applying();
});
afterAll(async () => {
  await place?.stop();
});

const apply = (wanted: readonly JsonObject[]) => place.apply(wanted);

/** They need a machine, or a cluster that answers. */
const elsewhere = ['LoadBalancerHost', 'ObjectContainer'];

/** Paths of the fields that may be null. */
function nullable(input: string, value: JsonObject, isKey: (name: string) => boolean): readonly (readonly string[])[] {
  return (registry.inputs[input]?.fields ?? []).flatMap(({ name, type, required, secret, list }) => {
    if (ownFields.has(name) || isKey(name)) return [];
    const given = value[name];
    const inner = list === true && Array.isArray(given) ? (given as readonly JsonValue[])[0] : given;
    const deeper =
      isObject(inner ?? null) && registry.inputs[type] !== undefined && secret !== true
        ? nullable(type, inner as JsonObject, () => false).map((path) => [
            name,
            ...(list === true ? ['0'] : []),
            ...path,
          ])
        : [];
    return [...(required === true || secret === true ? [] : [[name]]), ...deeper];
  });
}

function withNull(value: JsonValue, [name = '', ...rest]: readonly string[]): JsonValue {
  const next = rest.length === 0 ? null : withNull((value as JsonObject)[name] ?? null, rest);
  if (Array.isArray(value)) return value.map((each: JsonValue, place) => (String(place) === name ? next : each));
  return { ...(value as JsonObject), [name]: next };
}

function pathsOf(document: JsonObject): readonly (readonly string[])[] {
  const kind = kindOf(String(document.kind));
  const isPolicy = document.kind === 'AutoscalingPolicy';
  const input = isPolicy ? 'AutoscalingPolicyInput' : (makeAction(kind)?.input ?? '');
  const isKey = (name: string) => !isPolicy && (kind.key.includes(name) || name === kind.parent?.input);
  return nullable(input, document, isKey).filter(
    ([name = '']) => manifestField(kind, name) === name || document[name] !== undefined,
  );
}

test('there is a document of each kind that files may contain', () => {
  const has = new Set(documents.map(({ kind }) => String(kind)));
  expect(exportedKinds.filter((kind) => !has.has(kind))).toEqual(elsewhere);
});

test('all documents together are applied once, and the export then changes nothing', async () => {
  expect((await apply(documents)).changed.filter((each) => each.includes('REFUSED'))).toEqual([]);
  expect(await apply(documents)).toMatchObject({ exitCode: 0, changed: [] });
  const words = ['--project', 'default', '--url', place.system.url];
  const env = { TIDEGATE_TOKEN: place.token };
  const exported = await runCommand(['export', '-f', place.at('all.yaml'), ...words], { env });
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  const again = await runCommand(['diff', '-f', place.at('all.yaml'), ...words], { env });
  expect([again.exitCode, again.stdout, again.stderr]).toEqual([0, 'KIND  NAME  LINE  RESULT  WHAT\n', '']);
});

/** The accepted fields of all kinds. */
const accepted = new Set<string>();

test.each(documents.map((document, place) => [`${String(document.kind)} ${place}`, document] as const))(
  '%s: null for a field, applied twice, changes nothing the second time',
  async (_, document) => {
    const wrong: string[] = [];
    for (const path of pathsOf(document)) {
      const wish = withNull(document, path) as JsonObject;
      const first = await apply([wish]);
      if (first.exitCode !== 0) {
        expect(first.exitCode).toBe(1);
        expect([path.join('.'), await apply([document])]).toEqual([
          path.join('.'),
          { exitCode: 0, changed: [], stderr: '' },
        ]);
        continue;
      }
      accepted.add(`${String(document.kind)}.${path.join('.')}`);
      if (first.changed.length === 0) continue;
      const second = await apply([wish]);
      if (second.exitCode !== 0 || second.changed.length > 0)
        wrong.push(`${path.join('.')}: ${second.changed} ${second.stderr}`);
      const back = await apply([document]);
      if (back.exitCode !== 0) throw new Error(`${path.join('.')}: ${back.stderr}`);
    }
    expect(wrong).toEqual([]);
  },
  120_000 * patience,
);

test('most nulls are accepted', () => {
  for (const each of ['LoadBalancerQuota.limit', 'AlertRule.lastsMs', 'AlertRule.withinMs', 'ObjectCluster.zone'])
    expect(accepted).toContain(each);
  expect(accepted.size).toBeGreaterThan(120);
});
