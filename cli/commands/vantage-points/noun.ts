// `tidegate vantage-points`.
import { kindNoun } from '../../kinds/noun.ts';

export const vantagePoints = kindNoun('GslbVantagePoint');
