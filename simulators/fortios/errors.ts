// Error numbers of FortiOS' configuration database (CMDB), as shown by the REST API and the command line. Sources: the table of
// hfortix-fortios, terraform-provider-fortios issues 18 (-3), 244 (-5), 397 (-56), and CLI transcripts in public test suites
// ("The entry is used by other 1 entries", "object check operator error").

/** The entry, or one that it refers to, does not exist. */
export const NOT_FOUND = -3;
export const TABLE_FULL = -4;
export const DUPLICATE = -5;
export const SYSTEM_CONFLICT = -7;
export const DUPLICATE_NAME = -15;
export const IN_USE = -23;
export const BAD_VIP = -36;
export const NO_PERMISSION = -37;
export const EMPTY_VALUE = -56;
export const PARSE_ERROR = -61;
export const NAME_IS_GROUP = -163;
export const NAME_IS_ADDRESS = -164;
export const NAME_IS_VIP = -165;
export const XSS_CHARACTERS = -173;
export const ILLEGAL_MOVE = -177;
export const VDOM_IN_USE = -514;
export const RESERVED_WORD = -515;
export const VDOM_NAME_IS_INTERFACE = -519;
export const VDOM_LICENCE = -523;
export const BAD_VALUE = -651;

/** A refusal by CMDB. `message` is the command line's, without its last line. */
export class CmdbError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
