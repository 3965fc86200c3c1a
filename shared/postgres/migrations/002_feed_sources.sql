-- What a feed's body was made of: the newest jobs of its owner. A fetch that finds others refreshes
-- it, so that a lost event delays nothing. The entity tag is made of the body when it goes out.

alter table feeds add column sources text not null default '';
alter table feeds drop column etag;
