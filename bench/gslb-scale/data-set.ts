// Many healthy members: copies of one pool of four members with its name, which the conductor itself judged and planned. They are inserted
// in bulk by the database alone, because their creation is not measured.
import type { Database } from '../../platform/database/database.ts';
import { GslbPlace } from '../../tests/subgraphs/gslb/support/gslb-place.ts';
import type { LocalContext } from '../../tests/support/product/test-context.ts';

export const membersOfPool = 4;
/** A name server gets a whole zone in one message. */
const namesOfZone = 5_000;
const poolsAtOnce = 10_000;

const kinds = { pool: 1, member: 2, name: 3, use: 4 } as const;
type Kind = keyof typeof kinds;

/** Ids of the pools from one number up to another. */
export function idOf(kind: Kind, number: number): string {
  return `${prefixOf(kind)}${number.toString(16).padStart(12, '0')}`;
}

function prefixOf(kind: Kind): string {
  return `00000000-0000-7000-800${kinds[kind]}-`;
}

/** The range of ids that belong to the pools from one number up to another. */
export function rangeOf(kind: Kind, from: number, to: number): readonly [first: string, last: string] {
  const each = kind === 'member' ? membersOfPool : 1;
  return [idOf(kind, from * each), idOf(kind, to * each - 1)];
}

export function zoneOf(pool: number): string {
  return `z${Math.floor(pool / namesOfZone)}.gslb.test`;
}

/** A row of one pool, changed into the row of a later pool. */
export function shifted(text: string, pools: number): string {
  return text
    .replaceAll(/00000000-0000-7000-800(\d)-([0-9a-f]{12})/g, (_, kind, digits) => {
      const number = Number.parseInt(digits, 16) + (Number(kind) === kinds.member ? membersOfPool : 1) * pools;
      return `00000000-0000-7000-800${kind}-${number.toString(16).padStart(12, '0')}`;
    })
    .replaceAll(
      /\bn(\d+)\.z\d+\.gslb\.test/g,
      (_, digits) => `n${Number(digits) + pools}.${zoneOf(Number(digits) + pools)}`,
    )
    .replaceAll(/^z(\d+)\.gslb\.test$/g, (_, digits) => zoneOf(Number(digits) * namesOfZone + pools));
}

interface DataSet {
  readonly pools: number;
  readonly monitorId: string;
}

/** The database must be empty and migrated. Afterwards vantage points have no checkers. */
export async function fill(
  ground: LocalContext,
  { endpoints, vantagePoints }: { readonly endpoints: number; readonly vantagePoints: readonly string[] },
): Promise<DataSet> {
  const { db } = ground;
  const place = await GslbPlace.on(ground);
  const checkers = [];
  for (const name of vantagePoints) checkers.push(await place.vantagePoint(name));
  const memberIds: string[] = [];
  for (let number = 0; number < membersOfPool; number += 1)
    memberIds.push(await place.member(`m${number}`, { addresses: [`192.0.2.${number + 1}`] }));
  const nameId = await place.name('template');
  const up = Object.fromEntries(memberIds.map((id) => [id, 'UP' as const]));
  for (const checker of checkers) await place.say(checker, up);
  const pools = Math.ceil(endpoints / membersOfPool);
  for (let zone = 0; zone * namesOfZone < pools; zone += 1)
    await db.execute('INSERT INTO gslb_zone (name, id) VALUES (?, UUID())', [zoneOf(zone * namesOfZone)]);
  const template = { poolId: place.poolId, memberIds, nameId };
  for (let from = 0; from < pools; from += poolsAtOnce)
    await copyPools(db, template, from, Math.min(from + poolsAtOnce, pools));
  await db.execute('DELETE FROM gslb_checker');
  await db.execute('DELETE FROM gslb_vote WHERE member_id NOT LIKE ?', [`${prefixOf('member')}%`]);
  await db.execute('UPDATE gslb_pool_member SET deleted_at = NOW(3), unique_key = NULL WHERE pool_id = ?', [
    place.poolId,
  ]);
  return { pools, monitorId: place.monitorId };
}

interface Template {
  readonly poolId: string;
  readonly memberIds: readonly string[];
  readonly nameId: string;
}

async function copyPools(db: Database, { poolId, memberIds, nameId }: Template, from: number, to: number) {
  const id = (kind: Kind, number = 'seq') => `CONCAT('${prefixOf(kind)}', LPAD(LOWER(HEX(${number})), 12, '0'))`;
  const fqdn = `CONCAT('n', seq, '.z', seq DIV ${namesOfZone}, '.gslb.test')`;
  const copy = (table: string, where: string, changed: Readonly<Record<string, string>>) =>
    copyRows(db, { table, where, changed, from, to });
  const live = { id: id('pool'), name: id('pool'), live_name: id('pool') };
  await copy('gslb_pool', `t.id = '${poolId}'`, live);
  await copy('gslb_monitor_use', `t.pool_id = '${poolId}'`, { id: id('use'), pool_id: id('pool') });
  await copy('gslb_pool_use', `t.pool_id = '${poolId}'`, { gslb_id: id('name'), pool_id: id('pool') });
  const own = (at: number) => id('member', `seq * ${membersOfPool} + ${at}`);
  for (const [at, memberId] of memberIds.entries()) {
    await copy('gslb_pool_member', `t.id = '${memberId}'`, { id: own(at), pool_id: id('pool') });
    await copy('gslb_verdict', `t.member_id = '${memberId}'`, { member_id: own(at) });
  }
  const texts: readonly (readonly [string, string])[] = [
    [`'${poolId}'`, id('pool')],
    [`'${nameId}'`, id('name')],
    ["'template.gslb.test'", fqdn],
    ...memberIds.map((memberId, at) => [`'${memberId}'`, own(at)] as const),
  ];
  const plan = texts.reduce((text, [found, put]) => `REPLACE(${text}, ${found}, ${put})`, 't.plan');
  const zone = `CONCAT('z', seq DIV ${namesOfZone}, '.gslb.test')`;
  await copy('gslb', `t.id = '${nameId}'`, { id: id('name'), fqdn, live_fqdn: fqdn, zone, plan });
}

interface Copied {
  readonly table: string;
  /** The condition for the rows `t` to copy. */
  readonly where: string;
  /** SQL by column, in terms of the number `seq`. */
  readonly changed: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
}

async function copyRows(db: Database, { table, where, changed, from, to }: Copied): Promise<void> {
  const columns = await columnsOf(db, table);
  const values = columns.map((column) => changed[column] ?? `t.${column}`);
  await db.execute(
    `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM seq_${from}_to_${to - 1} CROSS JOIN ${table} t
    WHERE ${where}`,
  );
}

/** Columns that may be written. */
export async function columnsOf(db: Database, table: string): Promise<readonly string[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?
      AND is_generated = 'NEVER' ORDER BY ordinal_position`,
    [table],
  );
  return rows.map(({ name }) => name);
}
