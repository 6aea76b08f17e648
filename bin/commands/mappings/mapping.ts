// Mappings as the commands ask for them, and print them.
import { cmpObjectText } from '../client/cmp-object.ts';
import type { Printer } from '../client/printer.ts';

export interface Mapping {
  readonly id: string;
  readonly state: string;
  readonly role: string;
  readonly resource: string;
  readonly scope: string;
  readonly key: string;
  readonly uuid: string | null;
  readonly shared: boolean;
  readonly desired: unknown;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly backend: { readonly id: string; readonly name: string } | null;
  readonly cmpObject: { readonly namespace: string; readonly type: string; readonly externalId: string } | null;
  readonly lastVerification: {
    readonly at: string;
    readonly result: VerificationResult;
    readonly differences: readonly { readonly path: string; readonly wanted: unknown; readonly found: unknown }[];
  } | null;
}

export const verificationResults = ['MATCHES', 'DRIFTED', 'MISSING'] as const;
export type VerificationResult = (typeof verificationResults)[number];

export const mappingFields = `id state role resource scope key uuid shared desired createdAt updatedAt
  backend { id name } cmpObject { namespace type externalId }
  lastVerification { at result differences { path wanted found } }`;

/** For who reads: what it is for and where it is. */
export function ownerText({ cmpObject, role }: Mapping): string {
  if (cmpObject === null) return '-';
  return role === '' ? cmpObjectText(cmpObject) : `${cmpObjectText(cmpObject)} (${role})`;
}

export async function printMapping(printer: Printer, mapping: Mapping): Promise<void> {
  const verification = mapping.lastVerification;
  await printer.pairs([
    ['Id', mapping.id],
    ['For', ownerText(mapping)],
    ['Backend', mapping.backend?.name],
    ['Resource', mapping.resource],
    ['Scope', mapping.scope],
    ['Key', mapping.key],
    ['Id there', mapping.uuid],
    ['Shared', mapping.shared ? 'yes' : 'no'],
    ['State', mapping.state],
    ['Wanted', mapping.desired === null ? null : JSON.stringify(mapping.desired)],
    ['Created', mapping.createdAt],
    ['Changed', mapping.updatedAt],
    ['Looked at', verification?.at],
    ['Found', verification?.result],
  ]);
  await printDifferences(printer, mapping);
}

export async function printDifferences(printer: Printer, { lastVerification }: Mapping): Promise<void> {
  for (const { path, wanted, found } of lastVerification?.differences ?? [])
    await printer.line(`  ${path}: wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
}
