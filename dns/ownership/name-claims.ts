// Ownership of DNS names, for every source of names: GSLBs, load balancers, and the installation itself. A name is claimed in the
// transaction that creates its owner, under locks that serialise conflicting projects. After its release the name stays reserved
// for a while.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import { projectsNamed } from '../../platform/edge/projects.ts';
import { trustedNow } from '../../platform/leases/trusted-clock.ts';
import { bareName, isWithin, projectLabels, rulingOf, type ZoneRule } from './name-rules.ts';
import { serverNameOver } from './server-names.ts';

export interface ClaimedZone {
  readonly name: string;
  readonly rules: readonly ZoneRule[];
  /** Whether our own name servers answer it. Their names are then in the zone. */
  readonly hasOwnServers: boolean;
  /** Names of its other servers, if known. */
  readonly nameServers: readonly string[];
}

export interface NameClaim {
  /** Lower case, without a final dot. May begin with `*.`. */
  readonly name: string;
  /** KIND/ID. */
  readonly owner: string;
  readonly project: { readonly id: string; readonly name: string };
  readonly zone: ClaimedZone;
}

/** NO_RIGHT: the zone's rules do not allow it. NAME_TAKEN: it belongs to another owner, or is too near to another owner's name. */
interface ClaimFault {
  readonly code: 'NO_RIGHT' | 'NAME_TAKEN';
  readonly message: string;
}

interface HeldName {
  readonly name: string;
  readonly zone: string;
  readonly owner: string;
  /** Null for a name of the installation. */
  readonly projectId: string | null;
  readonly delegated: string;
  readonly sharedWith: readonly string[];
  readonly resting: boolean;
}

/**
 * Claims the name for its owner. Undefined on success. Call it in the transaction that creates the owner, after the locks of its project.
 *
 * Locks: a shared lock of the zone, then the lock of the name directly below the zone, which covers all names that could conflict. A name
 * at the zone itself, or a wildcard over all of it, takes the exclusive lock of the zone only.
 */
export async function claimName(tx: Transaction, claim: NameClaim): Promise<ClaimFault | undefined> {
  await lockAround(tx, claim.name, claim.zone.name);
  const ruled = await ruleOn(tx, claim);
  if ('code' in ruled) return ruled;
  await hold(tx, { ...claim, zone: claim.zone.name, projectId: claim.project.id, delegated: ruled.delegated });
  return undefined;
}

/** The fault that `claimName` would return now. */
export async function claimFault(sql: Sql, claim: NameClaim): Promise<ClaimFault | undefined> {
  const ruled = await ruleOn(sql, claim);
  return 'code' in ruled ? ruled : undefined;
}

/** For names of the installation itself, which need no right. False if a project has a name at, above or below it. */
export async function claimForInstallation(
  tx: Transaction,
  { name, zone, owner }: { readonly name: string; readonly zone: string; readonly owner: string },
): Promise<boolean> {
  await lockAround(tx, name, zone);
  const others = (await namesAround(tx, name, null)).filter((held) => held.owner !== owner);
  if (others.length > 0) return false;
  await hold(tx, { name, zone, owner, projectId: null, delegated: '' });
  return true;
}

/** Sets the projects (UUIDs) that may create names above, below and next to it. */
export async function shareName(
  tx: Transaction,
  { name, owner }: Pick<NameClaim, 'name' | 'owner'>,
  projectIds: readonly string[],
): Promise<void> {
  await tx.execute('UPDATE dns_held_name SET shared_with = ? WHERE name = ? AND owner = ?', [
    ...[JSON.stringify(projectIds), name, owner],
  ]);
}

/** The project may claim the name again at once, others after `restMs`. Does nothing if another owner has the name. */
export async function giveBackName(
  tx: Transaction,
  { name, owner }: Pick<NameClaim, 'name' | 'owner'>,
  restMs: number,
): Promise<void> {
  if (restMs === 0) {
    await tx.execute('DELETE FROM dns_held_name WHERE name = ? AND owner = ? AND rests_until IS NULL', [name, owner]);
    return;
  }
  await tx.execute(
    `UPDATE dns_held_name SET rests_until = NOW(3) + INTERVAL ? * 1000 MICROSECOND, shared_with = '[]'
    WHERE name = ? AND owner = ? AND rests_until IS NULL`,
    [restMs, name, owner],
  );
}

/** A name at or below `zone` that an owner of this kind has in another zone. Undefined if there is none. */
export async function heldIn(
  sql: Sql,
  zone: string,
  ownerKind: string,
): Promise<{ readonly name: string; readonly zone: string } | undefined> {
  const own = reversed(zone);
  const [row] = await sql.query<{ name: string; zone: string }>(
    `SELECT name, zone FROM dns_held_name WHERE (reversed = ? OR reversed LIKE ?) AND zone <> ? AND owner LIKE ? AND rests_until IS NULL
    ORDER BY reversed LIMIT 1`,
    [own, `${likeText(own)}.%`, zone, `${likeText(ownerKind)}/%`],
  );
  return row;
}

async function ruleOn(sql: Sql, claim: NameClaim): Promise<ClaimFault | { readonly delegated: string }> {
  const { name, zone, project, owner } = claim;
  const taken = (message: string): ClaimFault => ({ code: 'NAME_TAKEN', message });
  const server = await serverNameOver(sql, bareName(name), zone);
  if (server !== undefined) return taken(`${name} belongs to the name server ${server}: choose another name`);
  const inner = await innerZone(sql, bareName(name), zone.name);
  if (inner !== undefined) return taken(`${name} belongs to the zone ${inner}, which has its own rules`);
  const labels = projectLabels(zone.rules, { name, zone: zone.name });
  const named = await Promise.all(labels.map(async (label) => projectsNamed(sql, { name: label })));
  const projects = new Map(named.flat().map((each) => [each.name, each.id]));
  const ruling = rulingOf(zone.rules, { name, zone: zone.name, project }, projects);
  const delegated = ruling.allowed ? ruling.delegated : '';
  const around = await namesAround(sql, name, project.id);
  const other = around.find((held) =>
    isInTheWay(held, { name, owner, projectId: project.id, zone: zone.name, delegated }),
  );
  if (other !== undefined) return taken(reasonOf(other, name));
  return ruling.allowed ? { delegated } : { code: 'NO_RIGHT', message: ruling.reason };
}

function isInTheWay(
  held: HeldName,
  claim: {
    readonly name: string;
    readonly owner: string;
    readonly projectId: string;
    readonly zone: string;
    readonly delegated: string;
  },
): boolean {
  if (held.name === claim.name) return held.resting ? held.projectId !== claim.projectId : held.owner !== claim.owner;
  if (held.projectId === claim.projectId || held.sharedWith.includes(claim.projectId)) return false;
  // An administrator has allowed the zone itself by a right of its own.
  if (held.name === held.zone || claim.name === claim.zone) return false;
  // An administrator has separated one of them, by a right for its project or by a zone.
  const apart = (set: string, from: string) => set !== '' && set !== bareName(from) && isWithin(set, bareName(from));
  return ![
    ...[apart(claim.delegated, held.name), apart(claim.zone, held.name)],
    ...[apart(held.delegated, claim.name), apart(held.zone, claim.name)],
  ].includes(true);
}

function reasonOf({ name: held, projectId, resting }: HeldName, name: string): string {
  const who = projectId === null ? 'this installation' : 'another project';
  if (held === name)
    return resting
      ? `${name} was ${who}'s until it was deleted, and rests: choose another name, or try later`
      : `the name ${name} belongs to another object: choose another name`;
  return `${name} is too near to ${held}, which belongs to ${who}${resting ? ' and rests' : ''}: choose another name, or have its owner share it`;
}

/** A zone below this one that contains the name. Other rules apply there. */
async function innerZone(sql: Sql, bare: string, zone: string): Promise<string | undefined> {
  const labels = bare
    .slice(0, Math.max(0, bare.length - zone.length - 1))
    .split('.')
    .filter((label) => label !== '');
  if (labels.length === 0) return undefined;
  const names = labels.map((_, index) => `${labels.slice(index).join('.')}.${zone}`);
  const rows = await sql.query<{ name: string }>(
    `SELECT name FROM dns_zone WHERE name IN (${marksFor(names)}) ORDER BY CHAR_LENGTH(name) DESC LIMIT 1`,
    names,
  );
  return rows[0]?.name;
}

/**
 * Names of other owners at the name, above it and below it. Below it only the first. If `projectId` is null, names of all owners.
 */
async function namesAround(sql: Sql, name: string, projectId: string | null): Promise<readonly HeldName[]> {
  const bare = bareName(name);
  const labels = bare.split('.');
  const above = labels.map((_, index) => labels.slice(index).join('.'));
  const names = [...new Set([name, ...above.flatMap((each) => [each, `*.${each}`])])];
  const columns = `name, zone, owner, project_id AS projectId, delegated, shared_with AS sharedWith, rests_until IS NOT NULL AS resting`;
  const alive = `(rests_until IS NULL OR rests_until > ${trustedNow})`;
  const at = await sql.query<RawName>(
    `SELECT ${columns} FROM dns_held_name WHERE name IN (${marksFor(names)}) AND ${alive}`,
    names,
  );
  const below = await sql.query<RawName>(
    `SELECT ${columns} FROM dns_held_name WHERE reversed LIKE ? AND NOT (project_id <=> ?) AND ${alive} ORDER BY reversed LIMIT ${mostBelow}`,
    [`${likeText(reversed(bare))}.%`, projectId],
  );
  return [...at, ...below].map((raw) => ({
    ...raw,
    sharedWith: JSON.parse(raw.sharedWith),
    resting: raw.resting === 1,
  }));
}

/** Limit of others' names below a name that are checked individually for separation. */
const mostBelow = 1_000;

type RawName = Omit<HeldName, 'sharedWith' | 'resting'> & { readonly sharedWith: string; readonly resting: number };

async function lockAround(tx: Transaction, name: string, zone: string): Promise<void> {
  const bare = bareName(name);
  const take = (lock: string) =>
    tx.execute('INSERT INTO dns_name_lock (name) VALUES (?) ON DUPLICATE KEY UPDATE name = name', [lock]);
  if (bare === zone || !bare.endsWith(`.${zone}`)) {
    await take(zone);
    return;
  }
  const shared = 'SELECT 1 FROM dns_name_lock WHERE name = ? LOCK IN SHARE MODE';
  // The first name of the zone.
  if ((await tx.query(shared, [zone])).length === 0) await take(zone);
  await take(
    `${bare
      .slice(0, -zone.length - 1)
      .split('.')
      .at(-1)}.${zone}`,
  );
}

async function hold(
  tx: Transaction,
  { name, zone, owner, projectId, delegated }: Pick<HeldName, 'name' | 'zone' | 'owner' | 'projectId' | 'delegated'>,
): Promise<void> {
  await tx.execute(
    `INSERT INTO dns_held_name (name, reversed, zone, owner, project_id, delegated) VALUES (?, ?, ?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE zone = VALUES(zone), owner = VALUES(owner), project_id = VALUES(project_id), delegated = VALUES(delegated),
      rests_until = NULL`,
    [name, reversed(bareName(name)), zone, owner, projectId, delegated],
  );
}

/** Reverses the characters, so that the names below a name are a range of the index. */
function reversed(name: string): string {
  return [...name].reverse().join('');
}

function likeText(text: string): string {
  return text.replaceAll(/[\\%_]/g, (each) => `\\${each}`);
}
