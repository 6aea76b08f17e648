-- Whether a cluster lacks changes of others, as its last event said.

ALTER TABLE `object_cluster` ADD COLUMN `behind` BOOLEAN NOT NULL DEFAULT false AFTER `lost`;
