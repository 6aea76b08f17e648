-- Load balancers are found by the beginning of an address of a node, of the shared address, and of a member's host.

ALTER TABLE `lb_node`
  ADD INDEX `lb_node_address_idx` (`address`, `load_balancer_id`),
  ADD INDEX `lb_node_project_address_idx` (`project_id`, `address`, `load_balancer_id`),
  ADD INDEX `lb_node_subnet_address_idx` (`subnet_address`, `load_balancer_id`),
  ADD INDEX `lb_node_project_subnet_address_idx` (`project_id`, `subnet_address`, `load_balancer_id`);

ALTER TABLE `lb_load_balancer`
  ADD INDEX `lb_load_balancer_address_idx` (`floating_address`, `id`),
  ADD INDEX `lb_load_balancer_project_address_idx` (`project_id`, `floating_address`, `id`);

ALTER TABLE `lb_part`
  ADD INDEX `lb_part_key_idx` (`unique_key`, `kind`, `load_balancer_id`),
  ADD INDEX `lb_part_project_key_idx` (`project_id`, `unique_key`, `kind`, `load_balancer_id`);
