// `tidegate zones list`.
import { listVerb } from '../../row-verbs.ts';
import { readZones } from './zone.ts';

export const list = listVerb({
  summary: 'List the zones in which GSLBs may be created. Administrators only.',
  options: {},
  read: ({ client }) => readZones(client),
  columns: {
    ZONE: 'name',
    BACKEND: ({ backend }) => backend?.name,
    TYPE: 'backendType',
    GENERATION: 'generation',
    '': ({ keys }) => (keys.length === 0 ? '' : 'SIGNED'),
  },
});
