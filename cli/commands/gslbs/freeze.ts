// `tidegate gslbs freeze NAME`: keeps the answer unchanged, whatever happens to its members.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../failures.ts';
import { flag } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';
import { findGslb, reasonOption, untilOption } from './gslb.ts';

const freezeDocument = graphql(`
  mutation GslbsFreeze($input: GslbFreezeInput!) {
    gslbFreeze(input: $input) {
      gslb { id fqdn frozenAt frozenUntil } commit { token } userErrors { code message field }
    }
  }
`);

const unfreezeDocument = graphql(`
  mutation GslbsUnfreeze($input: GslbUnfreezeInput!) {
    gslbUnfreeze(input: $input) {
      gslb { id fqdn frozenAt frozenUntil } commit { token } userErrors { code message field }
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
    const given = { idempotencyKey: randomUUID(), id, reason };
    const { gslb, commit } = release
      ? await client.mutate(unfreezeDocument, given)
      : await client.mutate(freezeDocument, { ...given, until });
    await replicated({ client, signal, options }, commit);
    if (options.json) return printer.json(gslb);
    const end = gslb?.frozenUntil == null ? '' : ` until ${gslb.frozenUntil}`;
    return printer.line(release ? `${fqdn} follows its members again` : `the answer of ${fqdn} is frozen${end}`);
  },
});
