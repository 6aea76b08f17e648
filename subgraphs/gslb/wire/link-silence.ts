/** Of the links of checkers and name servers: a conductor that stands still is left for another one. */
export const linkSilentMs = 1_500;
