-- Access keys with which the centre signs URLs.

ALTER TABLE `object_access_key` ADD COLUMN `for_urls` BOOLEAN NOT NULL DEFAULT false AFTER `can_write`;
