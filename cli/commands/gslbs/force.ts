// `tidegate gslbs force NAME MEMBER --state STATE`: a person overrides a member's checks.
import { graphql } from '../../../generated/cli/index.ts';
import { choice, needed } from '../../option.ts';
import { commonOptions } from '../../remote-verb.ts';
import { changeVerb } from '../../row-verbs.ts';
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

export const force = changeVerb({
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
  document,
  async input({ client, names, options: { state, until, reason } }) {
    const { id } = await findMember(client, await findGslb(client, names[0]), names[1]);
    return { id, state: states[state], until, reason };
  },
  says({ gslbPoolMember: member }, { names, options }) {
    const until = member?.adminUntil == null ? '' : ` until ${member.adminUntil}`;
    return `${names[1]} is ${member?.adminState ?? states[options.state]}${until}`;
  },
});
