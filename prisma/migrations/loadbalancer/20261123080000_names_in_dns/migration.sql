-- The owner of a name is in dns_record_set, from the creation of the load balancer on.
ALTER TABLE `lb_load_balancer` DROP INDEX `lb_load_balancer_host_name_key`;
