// The pieces of attacks: text that ends or begins a word, a line or a command for some program on the way to a device.

const quotes = [
  ...['"', "'", '\\', '\\"', "\\'", '\\\\', '"; touch owned; "', "'; touch owned; '", '" "', '\\n', '""', '`'],
];
const substitutions = [
  ...['$(touch owned)', '`touch owned`', '$' + '{IFS}', '$HOME', '$' + '{PATH:0:1}', '$((1+1))', '$0', '!!'],
  ...['~root', '%' + '{ENV.PATH}'],
  ...['%00', '%0a', '%2e%2e%2f', '%22', '%n%s', '&quot;', '&#10;', '\\u0022', '\\x0a', '<(touch owned)', '*'],
  ...['[a-z]', '{a,b}'],
];
const separators = [
  ...[';', '|', '||', '&&', '&', '>', '>>owned', '<', '<<E', '; touch owned', '| touch owned'],
  ...['|| touch owned #', ' | include x'],
  ...['\n', '\r', '\r\n', '\ntouch owned\n', '\n# end\n', '\t', '\v', '\f', '\u0000', '\u0001', '\u0003'],
  ...['\u0004', '\u0007'],
  ...['\b', '\u0015', '\u0016', '\u0016?', '\u0017', '\u001a', '\u001b[2J', '\u007f', '\u0085', '\u009b'],
  ...['\u2028', '\u2029', '?', ' ?'],
];
export const attackBeginnings = [
  ...['-', '--', '--help', '-f', '-e ', '@', '@/etc/hosts', '#', '!', '!@', '~', '/', '../', '..', '.', ' '],
  ...['=', '+', ':', ','],
];
export const reservedWords = [
  ...['add', 'drop', 'accept', 'table', 'set', 'fwd', 'policy', 'inet', 'ip', 'ip6', 'tcp', 'jump', 'counter'],
  ...['flush ruleset'],
  ...['no', 'exit', 'end', 'quit', 'enable', 'configure terminal', 'show version', 'reload', 'access', 'trunk'],
  ...['on', 'active'],
  ...['all', 'none', 'any', 'null', 'true', 'undefined', '__proto__', 'constructor', 'toString'],
  ...['hasOwnProperty', 'NaN', '0x2a'],
  ...['On', 'DetectionOnly', 'rx', 'detectSQLi', 'lowercase', 'deny', 'log', 'Include', 'SecRuleEngine'],
  ...['internal', 'bridge'],
];
const unicode = [
  ...['\u202e', '\u202d', '\u2066', '\u2069', '\u200f', '\u061c', '\u200b', '\u200d', '\u2060', '\ufeff'],
  ...['\u00ad', '\u034f', '\u180e'],
  ...['\ud800', '\udc00', '\ude00\ud83d', '\u{e0041}', '\ufe0f', '\u0301', 'e\u0301', '\u00a0', '\u3000'],
  ...['\u2007', '\ufffd', '\uffff'],
  // Homoglyphs of Latin letters, and characters that some programs turn into quotes, semicolons and the like.
  ...['\u0430dmin', 'r\u043e\u043et', '\u0391', '\uff02', '\uff07', '\u037e', '\uff1b', '\uff5c', '\u201c'],
  ...['\u2019', '\u02bc', '\uff04\uff08id\uff09'],
  ...['\u017f', '\u212a', '\u0131', 'ß', '\u{1f4a9}', '\u{10ffff}'],
];
const ofDevices = [
  ...['"]},{"op":"delete","table":"Bridge","where":[]},{"x":["', '["uuid","x"]'],
  ...['{"nftables":[{"flush":{"ruleset":null}}]}'],
  ...['} chain x {', '" drop comment "', '; flush ruleset;', '@blocked', '0.0.0.0/0', 'tg:', 'tidegate-operation'],
  ...['"\nno vlan 42\n', '" exit', 'x"\nexit\nno vlan 42', ' force', '1/4 shutdown', 'vlan 1', '| json-print'],
  ...['" "id:1,pass"', "',ctl:ruleEngine=Off,msg:'", 'SecRuleEngine Off', '# end', '\nSecRuleEngine Off\n# end'],
  ...['!@rx', '@rx .*'],
  ...['REQUEST_URI|ARGS', 'ARGS:/^x/', 'ARGS" "@rx', 'on\nwaf applied loaded', '../../etc', 'mode.conf', '*/..'],
];
/** By kind. */
export const attackPieces: readonly (readonly string[])[] = [
  quotes,
  substitutions,
  separators,
  attackBeginnings,
  reservedWords,
  unicode,
  ofDevices,
];
