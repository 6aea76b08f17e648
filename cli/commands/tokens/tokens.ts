// `tidegate tokens`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const tokens = kindNoun('ApiToken');
