// The meaning of an update, over all fields of all kinds. Null clears a setting that may be absent, and is refused for
// any other. Settings that are sent unchanged change nothing. A change of status alone does not invalidate an expected
// version.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { givenToken } from '../../cli/credential.ts';
import { GraphClient } from '../../cli/graph-client.ts';
import { asInput, shownField } from '../../cli/kinds/as-input.ts';
import { kindOf, listChildren, listObjects, readObject } from '../../cli/kinds/find-object.ts';
import { readAll } from '../../cli/pages.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { neverNull } from '../../generated/kinds/update-nulls.ts';
import { decodeId } from '../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import { actionDocument } from '../../schema/kinds/documents.ts';
import { type Action, type Kind, ownFields } from '../../schema/kinds/kind.ts';
import { type Applying, applying, documents } from '../cli/commands/one-of-each-kind.ts';
import { patience } from '../support/machine/patience.ts';

let place: Applying;
let client: GraphClient;

beforeAll(async () => {
  place = await applying();
  const url = new URL(place.system.url);
  client = new GraphClient({ url, credential: givenToken(place.token), signal: new AbortController().signal });
  await apply();
  await outcome(channel, 'create', {
    ...{
      name: 'nulls',
      target: { mail: { host: '192.0.2.25', sender: 'a@nulls.test', recipients: ['b@nulls.test'] } },
    },
    ...{
      quietTimes: [{ days: ['MONDAY'], startTime: '22:00', endTime: '06:00' }],
      timeZone: 'Europe/Berlin',
      enabled: false,
    },
  });
}, 60_000 * patience);
afterAll(async () => {
  await client?.close();
  await place?.stop();
});

const channel = kindOf('AlertChannel');

async function apply(): Promise<void> {
  const { changed } = await place.apply(documents);
  const refused = changed.filter((line) => line.includes('REFUSED'));
  if (refused.length > 0) throw new Error(refused.join('\n'));
}

const updated: readonly Kind[] = Object.values(registry.kinds).filter(
  // A load balancer host is a machine.
  ({ type, actions }) => actions.update !== undefined && type !== 'LoadBalancerHost',
);

/** At most 3. */
async function objectsOf(kind: Kind): Promise<readonly JsonObject[]> {
  const { parent } = kind;
  if (kind.list !== undefined) return (await readAll(listObjects(client, kind, {}))).slice(-3);
  const parents = await objectsOf(kindOf(parent?.kind ?? ''));
  const children = await Promise.all(parents.map(({ id }) => listChildren(client, kind, String(id))));
  return children.flat().slice(-3);
}

interface Outcome {
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[] | null;
  }[];
}

async function outcome(kind: Kind, verb: string, input: JsonObject): Promise<Outcome> {
  const document = actionDocument(registry, kind, kind.actions[verb] as Action, { selection: 'id' });
  const { data, errors } = await client.execute(document, { input }, undefined);
  if (errors !== undefined) throw new Error(JSON.stringify([input, errors]));
  return data?.done as Outcome;
}

const update = (kind: Kind, id: JsonValue, change: JsonObject) => outcome(kind, 'update', { id, ...change });

async function read(kind: Kind, id: JsonValue): Promise<JsonObject> {
  const found = await readObject(client, kind, String(id));
  if (found === null) throw new Error(`${kind.type} ${String(id)} is gone`);
  return found;
}

const settingsOf = (kind: Kind, object: JsonObject) => asInput(inputOf(kind), kind.output, object);
const inputOf = ({ actions }: Kind) => actions.update?.input ?? '';
const fieldsOf = (kind: Kind) => registry.inputs[inputOf(kind)]?.fields ?? [];

/** The graph does not show a private key. */
async function pem(): Promise<JsonObject> {
  return {
    chain: await readFile(place.at('web.pem'), 'utf8'),
    privateKey: await readFile(place.at('web.key'), 'utf8'),
  };
}

async function sql(text: string, values: readonly string[] = []): Promise<readonly Record<string, unknown>[]> {
  const connection = await createConnection(place.system.database.connection);
  try {
    return await connection.query(text, [...values]);
  } finally {
    await connection.end();
  }
}

/** Tables of objects whose version also rises with their status. */
async function tables(): Promise<readonly string[]> {
  const found = await sql(
    "SELECT DISTINCT table_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'settings_version'",
  );
  return found.map(({ name }) => String(name));
}

const uuidOf = (id: JsonValue) => decodeId(String(id))?.key ?? '';

/** The version of an object's settings. `[]`: it has no status, so its version is that of its settings. */
async function countsOf(id: JsonValue): Promise<string> {
  const found = (await tables()).map((name) => sql(`SELECT settings_version FROM ${name} WHERE id = ?`, [uuidOf(id)]));
  return JSON.stringify((await Promise.all(found)).flat());
}

test('every kind with an update has objects here', async () => {
  const without: string[] = [];
  for (const kind of updated) if ((await objectsOf(kind)).length === 0) without.push(kind.type);
  expect(without).toEqual([]);
});

/** Nulls that are refused because another setting of the object needs a value. */
const needed: readonly string[] = [
  'AlertChannel.caCertificates',
  'AlertRule.withinMs',
  'DnsBackend.rfc2136',
  'Gslb.fallbackPoolId',
  'L7Policy.redirectPoolId',
  'L7Policy.redirectUrl',
  'L7Rule.key',
];
/** Without them, the parameters of each type have their defaults. */
const hasDefaults: ReadonlySet<string> = new Set(['GslbMonitor.parameters']);

const refusedNulls = new Set<string>();

test.each(updated.map((kind) => [kind.type, kind] as const))(
  '%s: null clears only settings that may be absent',
  async (type, kind) => {
    const wrong: string[] = [];
    const never = new Set(neverNull[kind.actions.update?.mutation ?? '']);
    for (const { id = null } of await objectsOf(kind)) {
      for (const field of fieldsOf(kind)) {
        const { name } = field;
        if (ownFields.has(name) || field.required === true || name === 'currentPassword') continue;
        const before = await read(kind, id);
        const { userErrors } = await update(kind, id, { [name]: null });
        const after = await read(kind, id);
        const [first] = userErrors;
        if (first !== undefined) {
          expect([name, settingsOf(kind, after)]).toEqual([name, settingsOf(kind, before)]);
          const isNever = first.message === `${name} is null, and can't be cleared: leave it out to keep its value`;
          if (isNever !== never.has(name) || (isNever && first.field?.join('.') !== `input.${name}`))
            wrong.push(`${name}: ${first.code} ${first.message} ${String(first.field)}`);
          if (!never.has(name)) refusedNulls.add(`${type}.${name}`);
          continue;
        }
        if (never.has(name)) wrong.push(`${name}: accepted`);
        const shown = shownField(kind.output, field);
        if (shown === undefined) continue;
        const value = after[shown.name] ?? null;
        const isCleared = value === null || (Array.isArray(value) && value.length === 0);
        if (!isCleared && !hasDefaults.has(`${type}.${name}`)) wrong.push(`${name}: still ${JSON.stringify(value)}`);
        const had = settingsOf(kind, before)[name];
        if (had === null || had === undefined) continue;
        const back = await update(kind, id, { [name]: had });
        if (back.userErrors.length > 0) throw new Error(`${name}: ${JSON.stringify(back.userErrors)}`);
      }
    }
    expect(wrong).toEqual([]);
  },
  60_000 * patience,
);

test('an allowed null is refused only where another setting needs a value', () => {
  expect([...refusedNulls].sort()).toEqual(needed);
});

test.each(updated.map((kind) => [kind.type, kind] as const))(
  '%s: an update without settings, or with unchanged settings, changes nothing',
  async (_, kind) => {
    await apply();
    const wrong: string[] = [];
    for (const { id = null } of await objectsOf(kind)) {
      const { id: _id, ...settings } = settingsOf(kind, await read(kind, id));
      const own = { ...settings, ...(kind.type === 'TlsCertificate' ? await pem() : {}) };
      const needed = fieldsOf(kind).flatMap(({ name, required }) => (required === true && name !== 'id' ? [name] : []));
      const always = Object.fromEntries(needed.map((name) => [name, own[name] ?? null]));
      for (const change of [{}, own, ...Object.entries(own).map(([name, value]) => ({ [name]: value }))]) {
        const given = {
          ...always,
          ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)),
        };
        const [before, counts] = [await read(kind, id), await countsOf(id)];
        const { userErrors } = await update(kind, id, given);
        if (userErrors.length > 0) {
          wrong.push(`${JSON.stringify(given)}: ${JSON.stringify(userErrors)}`);
          continue;
        }
        const [after, then] = [await read(kind, id), await countsOf(id)];
        if (counts !== then) wrong.push(`${JSON.stringify(given)}: ${counts} became ${then}`);
        if (counts === '[]' && before.version !== after.version)
          wrong.push(`${JSON.stringify(given)}: version ${String(before.version)} became ${String(after.version)}`);
      }
    }
    expect(wrong).toEqual([]);
  },
  60_000 * patience,
);

/** A change for each kind that has no description. */
const changes: Readonly<Record<string, JsonObject>> = {
  ...{ Backend: { site: 'there' }, ObjectCluster: { site: 'there' }, AlertRule: { repeatMs: 7_200_000 } },
  ...{ PoolMember: { weight: 7 }, PoolHealthMonitor: { rise: 5 }, L7Rule: { value: 'c' } },
};

test('a change of status does not invalidate an expected version, a change of settings does', async () => {
  await apply();
  const seen = new Set<string>();
  for (const kind of updated) {
    const [{ id = null, version = null } = {}] = (await objectsOf(kind)).slice(-1);
    for (const table of await tables()) {
      const where = `FROM ${table} WHERE id = '${uuidOf(id)}'`;
      if ((await sql(`SELECT 1 ${where}`)).length === 0) continue;
      seen.add(table);
      await sql(`UPDATE ${table} SET version = version + 3 WHERE id = '${uuidOf(id)}'`);
      const change = changes[kind.type] ?? { description: 'again' };
      const first = await update(kind, id, { ...change, expectedVersion: version });
      const second = await update(kind, id, { ...change, expectedVersion: version });
      const codes = [first, second].map(({ userErrors }) => userErrors.map(({ code }) => code));
      expect([kind.type, ...codes]).toEqual([kind.type, [], ['STALE_VERSION']]);
    }
  }
  expect([...seen, 'lb_host'].sort()).toEqual((await tables()).toSorted());
});
