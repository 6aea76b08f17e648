// `tidegate gslbs show NAME`.
import { cmpObjectText } from '../../cmp-object.ts';
import { showVerb } from '../../row-verbs.ts';
import { answeredAs, findGslb, type GslbMember, membersOf } from './gslb.ts';

export const show = showVerb({
  summary: 'Show a GSLB with its members, and the verdicts of each vantage point.',
  takes: ['NAME'],
  options: {},
  async read({ client, names }) {
    const gslb = await findGslb(client, names[0]);
    const pools: { readonly name: string; readonly members: readonly GslbMember[] }[] = [];
    for (const { id, ...pool } of gslb.pools) pools.push({ ...pool, members: await membersOf(client, id) });
    return { ...gslb, pools };
  },
  async print(printer, { pools, ...gslb }) {
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
      ['Operating', gslb.operatingStatus],
      ['Because', gslb.operatingReason],
      ['Frozen since', gslb.frozenAt],
      ['Frozen until', gslb.frozenUntil],
      ['Frozen because', gslb.frozenReason],
      ['Generation', gslb.generation],
    ]);
    const members = pools.flatMap(({ name, members: all }) => all.map((member) => ({ pool: name, member })));
    await printer.section(
      ['MEMBER', 'ANSWERED AS', 'REGION', 'ADMIN', 'VERDICT', 'OPERATING', 'BECAUSE'],
      members.map(({ pool, member }) => [
        `${pool}/${member.name}`,
        answeredAs(member),
        member.memberRegion ?? '-',
        member.adminState,
        `${member.verdict ?? '-'}${member.undecidedAt === null ? '' : ', undecided'}`,
        member.operatingStatus,
        member.operatingReason ?? '',
      ]),
    );
    const votes = members.flatMap(({ pool, member }) => member.votes.map((vote) => ({ pool, member, vote })));
    await printer.section(
      ['MEMBER', 'MONITOR', 'VANTAGE POINT', 'SAYS', 'SINCE', 'LATENCY', 'BECAUSE'],
      votes.map(({ pool, member, vote }) => [
        `${pool}/${member.name}`,
        vote.monitor?.name ?? '-',
        vote.vantagePointName,
        vote.verdict ?? '-',
        vote.verdictAt ?? '-',
        vote.latencyMs === null ? '-' : `${vote.latencyMs} ms`,
        vote.message ?? '',
      ]),
    );
  },
});

function ttlText(degraded: number | null): string {
  return degraded === null ? '' : `, ${degraded} s while a member is down`;
}
