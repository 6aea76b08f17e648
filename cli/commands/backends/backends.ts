// `tidegate backends`: the devices and services that receive relayed calls.
import { confirmed } from '../../confirmed.ts';
import type { Noun } from '../../verb.ts';
import { acceptCertificate, acceptHostKey } from './accept.ts';
import { closeCircuit } from './close-circuit.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { importBackends } from './import.ts';
import { list } from './list.ts';
import { show } from './show.ts';
import { update } from './update.ts';

export const backends: Noun = {
  list,
  show,
  create,
  update,
  delete: confirmed('Backend', remove),
  import: importBackends,
  'accept-host-key': acceptHostKey,
  'accept-certificate': acceptCertificate,
  'close-circuit': closeCircuit,
};
