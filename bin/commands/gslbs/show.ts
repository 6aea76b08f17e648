// `tidegate gslbs show NAME`.
import { cmpObjectText } from '../../cli/cmp-object.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';
import { answeredAs, findGslb, type GslbMember, membersOf } from './gslb.ts';

export const show = remoteVerb({
  summary: 'Show a GSLB with its members, and what each vantage point says of them.',
  takes: ['NAME'],
  options: {},
  async run({ client, names, options, printer }) {
    const gslb = await findGslb(client, names[0]);
    const pools: { readonly name: string; readonly members: readonly GslbMember[] }[] = [];
    for (const { id, ...pool } of gslb.pools) pools.push({ ...pool, members: await membersOf(client, id) });
    if (options.json) return printer.json({ ...gslb, pools });
    await printer.pairs([
      ['Name', gslb.fqdn],
      ['Id', gslb.id],
      ['Description', gslb.description],
      ['Project', gslb.project?.name],
      ['For', gslb.cmpObject === null ? null : cmpObjectText(gslb.cmpObject)],
      ['Appliance', gslb.applianceId],
      ['Flavor', gslb.flavor.name],
      ['Policy', gslb.policy],
      ['TTL', `${gslb.ttlSeconds} s${ttlText(gslb.degradedTtlSeconds)}`],
      ['None up', gslb.noneUp],
      ['Provisioning', gslb.provisioningStatus],
      ['Waits for', gslb.provisioningReason],
      ['Operating', gslb.operatingStatus ?? 'no verdict yet'],
      ['Because', gslb.statusMessage],
      ['Frozen since', gslb.frozenAt],
      ['Frozen until', gslb.frozenUntil],
      ['Frozen because', gslb.frozenReason],
      ['Generation', gslb.generation],
    ]);
    const members = pools.flatMap(({ name, members: all }) => all.map((member) => ({ pool: name, member })));
    if (members.length === 0) return;
    await printer.line('');
    await printer.table(
      ['MEMBER', 'ANSWERED AS', 'REGION', 'ADMIN', 'VERDICT', 'OPERATING', 'BECAUSE'],
      members.map(({ pool, member }) => [
        `${pool}/${member.name}`,
        answeredAs(member),
        member.region ?? '-',
        member.adminState,
        `${member.verdict ?? '-'}${member.undecidedAt === null ? '' : ', undecided'}`,
        member.operatingStatus ?? '-',
        member.statusMessage ?? '',
      ]),
    );
    const votes = members.flatMap(({ pool, member }) => member.votes.map((vote) => ({ pool, member, vote })));
    if (votes.length === 0) return;
    await printer.line('');
    await printer.table(
      ['MEMBER', 'MONITOR', 'VANTAGE POINT', 'SAYS', 'SINCE', 'LATENCY', 'BECAUSE'],
      votes.map(({ pool, member, vote }) => [
        `${pool}/${member.name}`,
        vote.monitor?.name ?? '-',
        vote.vantagePoint,
        vote.verdict ?? '-',
        vote.since ?? '-',
        vote.latencyMs === null ? '-' : `${vote.latencyMs} ms`,
        vote.message ?? '',
      ]),
    );
  },
});

function ttlText(degraded: number | null): string {
  return degraded === null ? '' : `, ${degraded} s while a member is down`;
}
