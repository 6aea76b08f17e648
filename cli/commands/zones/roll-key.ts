// `tidegate zones roll-key NAME`: rollover of the entry key, in the three steps that only a person can take.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../failures.ts';
import { flag, integer } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { findZone } from './zone.ts';

const begin = graphql(`
  mutation ZonesRollBegin($input: DnsZoneKeyRollBeginInput!) {
    dnsZoneKeyRollBegin(input: $input) { dnsZone { ...ZoneFields } userErrors { code message field } commit { token } }
  }
`);
const confirm = graphql(`
  mutation ZonesRollConfirm($input: DnsZoneKeyRollConfirmInput!) {
    dnsZoneKeyRollConfirm(input: $input) { dnsZone { ...ZoneFields } userErrors { code message field } commit { token } }
  }
`);
const cancel = graphql(`
  mutation ZonesRollCancel($input: DnsZoneKeyRollCancelInput!) {
    dnsZoneKeyRollCancel(input: $input) { dnsZone { ...ZoneFields } userErrors { code message field } commit { token } }
  }
`);

export const rollKey = remoteVerb({
  summary: "Begin the roll of a zone's entry key, or record the key that its parent names now. Administrators only.",
  takes: ['NAME'],
  options: {
    confirm: integer('TAG', 'The parent names the entry key with this tag, and no other.', { least: 0, most: 65_535 }),
    cancel: flag('Take the new key back, which nobody can have seen yet.'),
  },
  async run({ client, names, options, printer }) {
    const { confirm: keyTag, cancel: takesBack } = options;
    if (keyTag !== undefined && takesBack) throw new UsageError('give --confirm or --cancel, not both');
    const { id, name } = await findZone(client, names[0]);
    const input = { idempotencyKey: randomUUID(), id };
    const { dnsZone: zone } =
      keyTag !== undefined
        ? await client.mutate(confirm, { ...input, keyTag })
        : takesBack
          ? await client.mutate(cancel, input)
          : await client.mutate(begin, input);
    if (options.json) return printer.json(zone);
    if (takesBack) return printer.line(`the new entry key of ${name} is taken back`);
    if (keyTag !== undefined)
      return printer.line(
        `${name} is known to be named by key ${keyTag}: the others go when no resolver keeps their DS`,
      );
    await printer.line(
      `another entry key of ${name} signs in addition to the first; "tidegate zones show ${name}" offers its DS record in 8 days`,
    );
  },
});
