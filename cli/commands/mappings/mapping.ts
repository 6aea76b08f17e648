// Parsing and output of a mapping for the commands.
import type { MappingFieldsFragment, MappingState, MappingVerificationResult } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpObjectText } from '../../cmp-object.ts';
import { CommandFailure } from '../../failures.ts';
import type { Columns, Printer } from '../../printer.ts';
import type { RemoteCall } from '../../remote-verb.ts';
import { type Commit, replicated, type WaitingCall } from '../../wait.ts';

graphql(`
  fragment MappingFields on Mapping {
    id mappingState mappingRole resource scope objectKey uuid shared wantedSettings { name value } createdAt updatedAt
    backend { id name }
    cmpObject { namespace type externalId }
    lastVerification { verifiedAt result differences { path wanted found } }
  }
`);

export type Mapping = MappingFieldsFragment;

export const mappingStates: readonly MappingState[] = ['ACTIVE', 'UNVERIFIED', 'ORPHAN', 'DELETED'];
export const verificationResults: readonly MappingVerificationResult[] = ['MATCHES', 'DRIFTED', 'MISSING'];

/** The CMP object, with its role if there is one. */
export function ownerText({ cmpObject, mappingRole: role }: Mapping): string {
  if (cmpObject === null) return '-';
  return role === '' ? cmpObjectText(cmpObject) : `${cmpObjectText(cmpObject)} (${role})`;
}

export const mappingColumns: Columns<Mapping> = {
  ID: 'id',
  FOR: ownerText,
  BACKEND: ({ backend }) => backend?.name,
  RESOURCE: 'resource',
  SCOPE: 'scope',
  KEY: 'objectKey',
  STATE: 'mappingState',
  FOUND: ({ lastVerification }) => lastVerification?.result,
  CHANGED: 'updatedAt',
};

/** The mapping in a mutation's payload. With `--wait`, after the standby has the write. */
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
    ['Key', mapping.objectKey],
    ['Device id', mapping.uuid],
    ['Shared', mapping.shared ? 'yes' : 'no'],
    ['State', mapping.mappingState],
    ['Wanted', mapping.wantedSettings?.map(({ name, value }) => `${name}=${value ?? ''}`).join(', ')],
    ['Created', mapping.createdAt],
    ['Changed', mapping.updatedAt],
    ['Verified', verification?.verifiedAt],
    ['Found', verification?.result],
  ]);
  await printDifferences(printer, mapping);
}

export async function printDifferences(printer: Printer, { lastVerification }: Mapping): Promise<void> {
  for (const { path, wanted, found } of lastVerification?.differences ?? [])
    await printer.line(`  ${path}: wanted ${wanted ?? 'none'}, found ${found ?? 'none'}`);
}
