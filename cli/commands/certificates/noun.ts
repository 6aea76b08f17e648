// `tidegate certificates`: TLS certificates with their private keys.
import type { Noun } from '../../verb.ts';
import { create, list, remove, update } from './verbs.ts';

export const certificates: Noun = { list, create, update, delete: remove };
