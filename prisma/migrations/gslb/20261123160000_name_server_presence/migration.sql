-- Whether a name server was last told to be heard, so that each change is one event.

ALTER TABLE `gslb_name_server`
  ADD COLUMN `present` BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN `version` INTEGER UNSIGNED NOT NULL DEFAULT 1;
