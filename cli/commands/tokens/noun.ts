// `tidegate tokens`.
import { kindNoun } from '../../kinds/noun.ts';

export const tokens = kindNoun('ApiToken');
