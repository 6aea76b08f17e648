// `tidegate vantage-points`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const vantagePoints = kindNoun('GslbVantagePoint');
