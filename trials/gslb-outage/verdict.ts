// Finds faults after everything has had time to settle.
import type { Site } from './site.ts';

export interface Wrong {
  readonly figure: 'deadAfterConverged' | 'lostFlips' | 'diverged';
  readonly what: string;
}

interface FlipRow {
  readonly member: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Empty if there is no fault. */
export async function wrongNow(site: Site): Promise<readonly Wrong[]> {
  return [...answers(site), ...(await history(site)), ...(await followed(site))];
}

function answers(site: Site): readonly Wrong[] {
  const { outside } = site;
  const living = site.living();
  return outside.names.flatMap((name): readonly Wrong[] => {
    const addresses = outside.last(name)?.addresses ?? [];
    if (addresses.join() === living.join()) return [];
    const what = `${name} answers ${addresses.join() || 'nothing'}, and what lives is ${living.join()}`;
    const isDead = addresses.some((address) => !living.includes(address));
    return [{ figure: isDead ? 'deadAfterConverged' : 'diverged', what }];
  });
}

/** The client of the graph must get each verdict once and in order. */
async function followed({ ground, subscriber }: Site): Promise<readonly Wrong[]> {
  if (subscriber === undefined) return [];
  const rows = await ground.db
    .query<{ subject: string; version: number }>(
      `SELECT subject_id AS subject, subject_version AS version FROM status_change WHERE kind = 'gslbPoolMember.verdict'
      ORDER BY seq IS NULL, seq, id`,
    )
    .catch((): readonly { subject: string; version: number }[] | undefined => undefined);
  if (rows === undefined) return [{ figure: 'lostFlips', what: 'the database does not answer' }];
  const told = rows.map(({ subject, version }) => `${subject}/${version}`);
  const at = told.findIndex((each, index) => each !== subscriber.seen[index]);
  if (at === -1 && told.length === subscriber.seen.length) return [];
  const what = `a subscriber has ${subscriber.seen.length} of ${told.length} verdicts, and differs from number ${at}`;
  return [{ figure: 'lostFlips', what }];
}

/** The history of each endpoint must have no gap, and end with the endpoint's current state. */
async function history({ ground, endpoints, memberIds }: Site): Promise<readonly Wrong[]> {
  const rows = await ground.db
    .query<FlipRow>(
      `SELECT member_id AS member, verdict_before AS \`before\`, verdict_after AS \`after\` FROM gslb_flip
      WHERE late = 0 AND region IS NULL ORDER BY id`,
    )
    .catch((): readonly FlipRow[] | undefined => undefined);
  if (rows === undefined) return [{ figure: 'lostFlips', what: 'the database does not answer' }];
  const byMember = Map.groupBy(rows, ({ member }) => member);
  return endpoints.flatMap(({ lives, address }, at): readonly Wrong[] => {
    const flips = byMember.get(memberIds[at] ?? '') ?? [];
    const gaps = flips.filter(({ before }, index) => before !== (flips[index - 1]?.after ?? null)).length;
    const last = flips.at(-1)?.after ?? 'nothing';
    const wanted = lives ? 'UP' : 'DOWN';
    return [
      ...(gaps > 0
        ? [{ figure: 'lostFlips', what: `${gaps} changes of ${address} are missing in its history` } as const]
        : []),
      ...(last === wanted
        ? []
        : [{ figure: 'lostFlips', what: `the last of ${address} is ${last}, and it is ${wanted}` } as const]),
    ];
  });
}
