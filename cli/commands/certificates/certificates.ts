// `tidegate certificates`: TLS certificates with their private keys.
import { kindVerb } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';
import { create, list, remove, update } from './verbs.ts';

export const certificates: Noun = {
  ...{ list, show: kindVerb('TlsCertificate', 'show'), create, update, delete: remove },
};
