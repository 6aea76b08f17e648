// Destinations of a monitor's credentials. Users who may add members need not know the credentials. So they are sent only to destinations that their
// owner allowed, with the monitor's own parameters (docs/decisions/0082).
import { zoneOfName } from '../../../../dns/backends/zone-store.ts';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { canonicalJson, type JsonObject } from '../../../../platform/values/json.ts';
import type { MonitorSecret, MonitorSpec } from '../../spec/specs.ts';
import { boundSettings, monitorSecretPlace, sealedText } from '../stores/sealed-text.ts';
import { authBlocks, hostBeyond, openStackTypes, provesNames, watchesType } from '../targets/targets.ts';
import type { MonitorEntity } from './entity-store.ts';
import { typesOf } from './monitor-types.ts';
import { zonesOver } from './name-check-store.ts';
import { columnsOf } from './shown-settings.ts';
import { membersUsed, usesOf } from './use-store.ts';

interface CredentialChange {
  /** UUID. */
  readonly id: string;
  /** Settings after the change. */
  readonly settings: JsonObject;
  /** Undefined if the monitor is new. */
  readonly before: MonitorEntity | undefined;
  /** Undefined if they stay. Null if they are removed. */
  readonly auth: Partial<MonitorSecret> | null | undefined;
}

type Columns = Readonly<Record<string, SqlValue>>;

/** Refuses credentials that could be sent to places their owner did not allow. */
export async function credentialColumns(
  tx: Transaction,
  sealer: Sealer,
  { id, settings, before, auth }: CredentialChange,
): Promise<Columns> {
  const spec = settings as unknown as MonitorSpec;
  if (auth === null && before !== undefined) {
    if (!before.credentialsSet) return {};
    return { secret: null, ...columnsOf('GslbMonitor', { ...settings, authHosts: [] }) };
  }
  if (auth == null) {
    if (before?.credentialsSet === true) refuseMoved(before.spec, spec);
    else if (spec.authHosts?.length !== 0) fail('authHosts', 'authHosts is only with auth');
    return {};
  }
  await requirePlace(tx, spec);
  const beyond = before === undefined ? undefined : await memberBeyond(tx, spec, await usesOf(tx, id));
  if (beyond !== undefined)
    fail('authHosts', `authHosts has not ${beyond.host}, where the member ${beyond.member} is checked`);
  const secret = { username: auth.username ?? null, password: auth.password ?? null, token: auth.token ?? null };
  return { secret: sealedText(sealer, JSON.stringify(secret), monitorSecretPlace(id, spec)) };
}

const sentToHosts: readonly string[] = ['HTTP', 'HTTPS', 'PLUGIN'];

async function requirePlace(sql: Sql, spec: MonitorSpec): Promise<void> {
  const { type, authHosts = [], targetPort } = spec;
  const ofHosts = sentToHosts.includes(type);
  if (!ofHosts && !openStackTypes.includes(type))
    fail('auth', `auth is not for type ${type}, whose checks send no credentials`);
  if (!ofHosts) {
    if (authHosts.length > 0)
      fail('authHosts', `authHosts is not for type ${type}: parameters decide where auth is sent`);
    return;
  }
  if (authHosts.length === 0) fail('authHosts', 'authHosts is required with auth: name where it may be sent');
  if (authBlocks(spec).length === 0) await requireNamesProven(sql, spec);
  const types = await typesOf(sql, spec);
  if (targetPort === null && types.some(({ needsPort }) => needsPort))
    fail('targetPort', 'targetPort is required with auth: credentials are sent to one port');
}

/**
 * Anyone who controls a name's addresses would get the credentials. So without blocks, a certificate must prove the name, and no name in our own
 * zones is allowed.
 */
async function requireNamesProven(sql: Sql, spec: MonitorSpec): Promise<void> {
  const [name = ''] = spec.authHosts ?? [];
  const give = 'also give the addresses or blocks to which it may lead';
  if (!provesNames(spec))
    fail('authHosts', `authHosts has ${name}, which nothing proves: ${give}, or check by HTTPS with verify`);
  for (const host of spec.authHosts ?? []) {
    const plain = host.toLowerCase().replace(/\.$/, '');
    const zone = (await zonesOver(sql, plain))[0] ?? (await zoneOfName(sql, plain));
    if (zone !== undefined)
      fail('authHosts', `authHosts has ${host}, in the zone ${zone.name}, where projects make names: ${give}`);
  }
}

/** Credentials belong to the place for which they were given, so a change of the place requires them again. */
function refuseMoved(before: MonitorSpec, after: MonitorSpec): void {
  const moved = boundSettings.find((name) => canonicalJson(before[name] ?? []) !== canonicalJson(after[name] ?? []));
  if (moved !== undefined)
    refuse('CREDENTIALS_REQUIRED', `${moved} changes: send the credentials again`, { field: ['input', 'auth'] });
}

/** A member to which the monitor's credentials may not be sent. Undefined if there is none. */
export async function memberBeyond(
  sql: Sql,
  monitor: MonitorSpec,
  uses: Parameters<typeof membersUsed>[1],
): Promise<{ readonly member: string; readonly host: string } | undefined> {
  if ((monitor.authHosts ?? []).length === 0) return undefined;
  for (const { name: member, spec } of await membersUsed(sql, uses, 'ALL')) {
    const host = watchesType(spec, monitor) ? hostBeyond(spec, monitor) : undefined;
    if (host !== undefined) return { member, host };
  }
  return undefined;
}

function fail(field: string, message: string): never {
  return refuse('INVALID_INPUT', message, { field: ['input', field] });
}
