-- Freed addresses of hosts, and deleted nodes, are found in the order in which they were freed or changed.

ALTER TABLE `lb_address` ADD INDEX `lb_address_freed_idx` (`freed_at`);
ALTER TABLE `lb_node` ADD INDEX `lb_node_state_updated_idx` (`state`, `updated_at`), DROP INDEX `lb_node_state_idx`;
