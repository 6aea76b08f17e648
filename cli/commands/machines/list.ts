// `tidegate machines list`.
import { listVerb } from '../../row-verbs.ts';
import { allMachines } from './find.ts';
import { roleWord } from './options.ts';

export const list = listVerb({
  summary: 'List machines.',
  options: {},
  read: ({ client }) => allMachines(client),
  columns: {
    NAME: 'name',
    ROLE: ({ machineRole }) => roleWord(machineRole),
    STATE: 'machineState',
    JOINED: 'joinedAt',
    EXPIRES: 'expiresAt',
    ID: 'id',
  },
});
