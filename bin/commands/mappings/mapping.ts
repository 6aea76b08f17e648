// Parsing and output of a mapping for the commands.
import type { MappingFieldsFragment, MappingState, MappingVerificationResult } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpObjectText } from '../../cli/cmp-object.ts';
import { CommandFailure } from '../../cli/failures.ts';
import type { Printer } from '../../cli/printer.ts';
import type { RemoteCall } from '../../cli/remote-verb.ts';
import { type Commit, replicated, type WaitingCall } from '../../cli/wait.ts';

graphql(`
  fragment MappingFields on Mapping {
    id state role resource scope key uuid shared desired createdAt updatedAt
    backend { id name }
    cmpObject { namespace type externalId }
    lastVerification { at result differences { path wanted found } }
  }
`);

export type Mapping = MappingFieldsFragment;

export const mappingStates: readonly MappingState[] = ['ACTIVE', 'UNVERIFIED', 'ORPHAN', 'DELETED'];
export const verificationResults: readonly MappingVerificationResult[] = ['MATCHES', 'DRIFTED', 'MISSING'];

/** The CMP object, and its role if there is one. */
export function ownerText({ cmpObject, role }: Mapping): string {
  if (cmpObject === null) return '-';
  return role === '' ? cmpObjectText(cmpObject) : `${cmpObjectText(cmpObject)} (${role})`;
}

export const mappingHead = ['ID', 'FOR', 'BACKEND', 'RESOURCE', 'SCOPE', 'KEY', 'STATE', 'FOUND', 'CHANGED'];

export function mappingRow(each: Mapping): string[] {
  const { id, resource, scope, key, state, updatedAt } = each;
  const found = each.lastVerification?.result ?? '-';
  return [id, ownerText(each), each.backend?.name ?? '-', resource, scope, key, state, found, updatedAt];
}

/** The mapping in a mutation's payload; with `--wait`, after its write is on the standby. */
export async function changedMapping(
  call: WaitingCall,
  { mapping, commit }: { readonly mapping: Mapping | null; readonly commit: Commit },
): Promise<Mapping> {
  if (mapping === null) throw new CommandFailure('the server gave no mapping');
  await replicated(call, commit);
  return mapping;
}

export async function printMapping(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  mapping: Mapping,
): Promise<void> {
  if (options.json) return printer.json(mapping);
  const verification = mapping.lastVerification;
  await printer.pairs([
    ['Id', mapping.id],
    ['For', ownerText(mapping)],
    ['Backend', mapping.backend?.name],
    ['Resource', mapping.resource],
    ['Scope', mapping.scope],
    ['Key', mapping.key],
    ['Device id', mapping.uuid],
    ['Shared', mapping.shared ? 'yes' : 'no'],
    ['State', mapping.state],
    ['Wanted', mapping.desired === null ? null : JSON.stringify(mapping.desired)],
    ['Created', mapping.createdAt],
    ['Changed', mapping.updatedAt],
    ['Verified', verification?.at],
    ['Found', verification?.result],
  ]);
  await printDifferences(printer, mapping);
}

export async function printDifferences(printer: Printer, { lastVerification }: Mapping): Promise<void> {
  for (const { path, wanted, found } of lastVerification?.differences ?? [])
    await printer.line(`  ${path}: wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
}
