// `tidegate mappings adopt`: maps an existing backend object.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpOption } from '../../cmp-object.ts';
import { backendId, projectId } from '../../find.ts';
import { flag, giving, needed, neededText, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedMapping, printMapping } from './mapping.ts';

const document = graphql(`
  mutation MappingsAdopt($input: MappingAdoptInput!) {
    mappingAdopt(input: $input) { mapping { ...MappingFields } commit { token } userErrors { code message field } }
  }
`);

export const adopt = remoteVerb({
  summary: 'Map an existing backend object.',
  takes: [],
  options: {
    backend: neededText('NAME', 'Backend that has the object.'),
    cmp: needed(cmpOption),
    resource: neededText('RESOURCE', "The driver's name for objects of this kind, for example rule."),
    key: giving(['objectKey'], neededText('KEY', "The object's name on the backend.")),
    scope: text('SCOPE', 'Part of the backend that has the object, for example "inet filter forward".'),
    uuid: text('UUID', "The backend's own id of the object, if its name is not unique."),
    role: giving(['cmpObject.mappingRole'], text('ROLE', 'Role of the backend object for the CMP object.')),
    shared: flag('Allow several CMP objects to own the backend object.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options } = call;
    const inProject = await projectId(client, options.project);
    const payload = await client.mutate(document, {
      idempotencyKey: randomUUID(),
      projectId: inProject,
      cmpObject: { ...options.cmp, mappingRole: options.role ?? '' },
      resource: options.resource,
      scope: options.scope ?? '',
      objectKey: options.key,
      shared: options.shared,
      uuid: options.uuid,
      backend: { id: await backendId(client, options.backend, inProject) },
    });
    await printMapping(call, await changedMapping(call, payload));
  },
});
