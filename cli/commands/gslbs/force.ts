// `tidegate gslbs force NAME MEMBER --state STATE`: a person overrides a member's checks.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { choice, needed } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';
import { findGslb, findMember, reasonOption, untilOption } from './gslb.ts';

const document = graphql(`
  mutation GslbsForce($input: GslbPoolMemberAdminStateSetInput!) {
    gslbPoolMemberAdminStateSet(input: $input) {
      gslbPoolMember { id name adminState adminUntil operatingStatus }
      commit { token }
      userErrors { code message field }
    }
  }
`);

const states = { UP: 'FORCED_UP', DOWN: 'FORCED_DOWN', DRAIN: 'DRAIN', AUTO: 'AUTO' } as const;
type Word = keyof typeof states;

export const force = remoteVerb({
  summary: 'Force a member up or down, drain it, or give it back to its checks.',
  takes: ['NAME', 'MEMBER'],
  options: {
    state: needed(
      choice<Word>('STATE', ['UP', 'DOWN', 'DRAIN', 'AUTO'], 'UP, DOWN, DRAIN, or AUTO: its checks decide.'),
    ),
    until: untilOption,
    reason: reasonOption,
    wait: commonOptions.wait,
  },
  async run({ client, names, options, printer, signal }) {
    const gslb = await findGslb(client, names[0]);
    const { id } = await findMember(client, gslb, names[1]);
    const { gslbPoolMember: member, commit } = await client.mutate(document, {
      ...{ idempotencyKey: randomUUID(), id, state: states[options.state] },
      ...{ until: options.until, reason: options.reason },
    });
    await replicated({ client, signal, options }, commit);
    if (options.json) return printer.json(member);
    const until = member?.adminUntil == null ? '' : ` until ${member.adminUntil}`;
    return printer.line(`${names[1]} is ${member?.adminState ?? states[options.state]}${until}`);
  },
});
