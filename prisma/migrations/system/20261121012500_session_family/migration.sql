-- All refresh tokens of a session carry one secret: only who has one of them can end the session with an old one.
-- Sessions of before have none until their next refresh.

ALTER TABLE `session`
  ADD COLUMN `family_hash` CHAR(64) NULL AFTER `refresh_hash`;
