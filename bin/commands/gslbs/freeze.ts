// `tidegate gslbs freeze NAME`: the answer stays as it is, whatever happens to its members.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../cli/failures.ts';
import { flag } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { replicated } from '../../cli/wait.ts';
import { findGslb, reasonOption, untilOption } from './gslb.ts';

const document = graphql(`
  mutation GslbsFreeze($input: GslbFreezeInput!) {
    gslbFreeze(input: $input) {
      gslb { id fqdn frozenAt frozenUntil }
      commit { token }
      userErrors { code message field }
    }
  }
`);

export const freeze = remoteVerb({
  summary: 'Keep the answer of a GSLB as it is, or release it.',
  takes: ['NAME'],
  options: {
    release: flag('Let it follow its members again.'),
    until: untilOption,
    reason: reasonOption,
    wait: commonOptions.wait,
  },
  async run({ client, names, options, printer, signal }) {
    const { release, until, reason } = options;
    if (release && until !== undefined) throw new UsageError('--release takes no --until');
    const { id, fqdn } = await findGslb(client, names[0]);
    const { gslb, commit } = await client.mutate(document, {
      ...{ idempotencyKey: randomUUID(), id, frozen: !release, until, reason },
    });
    await replicated({ client, signal, options }, commit);
    if (options.json) return printer.json(gslb);
    const end = gslb?.frozenUntil == null ? '' : ` until ${gslb.frozenUntil}`;
    return printer.line(release ? `${fqdn} follows its members again` : `the answer of ${fqdn} is frozen${end}`);
  },
});
