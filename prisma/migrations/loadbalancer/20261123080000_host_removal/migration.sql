-- A host that is gone for good is removed once its last node is.
ALTER TABLE `lb_host` ADD COLUMN `removing` BOOLEAN NOT NULL DEFAULT FALSE;
