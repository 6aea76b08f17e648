// `tidegate clusters`: the clusters of object storage. Administrators only.
import type { Noun } from '../../verb.ts';
import { add, remove, update } from './change.ts';
import { lag } from './lag.ts';
import { measure } from './measure.ts';
import { drainService, removeService } from './services.ts';
import { list, show } from './show.ts';

export const clusters: Noun = {
  ...{ list, show, add, update, remove, lag, measure },
  ...{ 'drain-service': drainService, 'remove-service': removeService },
};
