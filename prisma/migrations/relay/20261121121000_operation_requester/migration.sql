-- Whose call it is: a member may have the relay look at their own. Not known of earlier calls.
ALTER TABLE `operation` ADD COLUMN `requester_id` CHAR(36) NULL;
